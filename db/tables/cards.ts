import type { Generated } from 'kysely';
import type { LimitDocument } from '../../domain/limit.ts';
import type { CreatedAt, Json, OptionalJson } from './columns.ts';

/** Cards, their locks and states. */
export interface CardTables {
  cards: CardsTable;
  card_locks: CardLocksTable;
  card_states: CardStatesTable;
  customer_limits: CustomerLimitsTable;
  processor_instructions: ProcessorInstructionsTable;
}

export interface CardsTable {
  card_id: Generated<number>;
  resource_id: string;
  partner_id: number;
  programme_id: number;
  product_id: number;
  balance_id: string;
  customer_id: number | null;
  corporation_id: string | null;
  kind: 'VIRTUAL' | 'PHYSICAL' | 'DIGITAL_FIRST';
  base_state: 'PENDING' | 'INACTIVE' | 'ACTIVE' | 'REMOVED' | 'FAILED';
  reference: string;
  processor_card_id: string | null;
  holder_name: Buffer | null;
  label: string | null;
  last_four_digits: string | null;
  bin: string | null;
  expiry_date: string | null;
  cvc_version: Generated<number>;
  pin_set: Generated<boolean>;
  failure_reason: string | null;
  replaces_card_id: number | null;
  replaced_by_card_id: number | null;
  claimed: Generated<boolean>;
  created_at: CreatedAt;
  activated_at: Date | null;
  removed_at: Date | null;
}

export type LockPlacer = 'customer' | 'partner' | 'operator' | 'processor' | 'system';

export interface CardLocksTable {
  lock_id: string;
  card_id: number;
  partner_id: number;
  code: number;
  placed_by: LockPlacer;
  placed_at: CreatedAt;
  lifted_at: Date | null;
  lifted_by: string | null;
}

export interface CardStatesTable {
  processor_card_id: string;
  card_id: number;
  partner_id: number;
  programme_id: number;
  product_id: number;
  balance_id: string;
  customer_id: number | null;
  corporation_id: string | null;
  base_state: string;
  locks: Generated<number[]>;
  expiry_date: string;
  last_four_digits: string;
  pin_tries_left: number;
  cvc_tries_left: Generated<number>;
  limits: OptionalJson<LimitDocument>;
  limits_version: Generated<number>;
  consumed: Generated<number[]>;
  consumed_on: string | null;
  budget_since: Date | null;
  newest_fingerprint: number | null;
  newest_at: Date | null;
}

export interface CustomerLimitsTable {
  customer_id: number;
  partner_id: number;
  limits: Json<LimitDocument>;
  limits_version: Generated<number>;
  consumed: Generated<number[]>;
  consumed_on: string | null;
  budget_since: Date | null;
  created_at: CreatedAt;
}

export interface ProcessorInstructionsTable {
  instruction_id: Generated<number>;
  card_id: number;
  partner_id: number;
  kind: 'LOCK' | 'UNLOCK';
  codes: number[];
  status: Generated<'WAITING' | 'DONE' | 'REFUSED'>;
  attempts: Generated<number>;
  last_outcome: string | null;
  created_at: CreatedAt;
  finished_at: Date | null;
}
