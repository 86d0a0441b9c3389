import type { CardTables } from './tables/cards.ts';
import type { ClearingTables } from './tables/clearing.ts';
import type { CustomerAccessTables } from './tables/customer-access.ts';
import type { CustomerTables } from './tables/customers.ts';
import type { DeliveryTables } from './tables/deliveries.ts';
import type { KybTables } from './tables/kyb.ts';
import type { LedgerTables } from './tables/ledger.ts';
import type { OperatorTables } from './tables/operators.ts';
import type { PartnerTables } from './tables/partners.ts';
import type { ProgrammeTables } from './tables/programmes.ts';
import type { TransactionTables } from './tables/transactions.ts';
import type { VerificationTables } from './tables/verifications.ts';

/**
 * The map from table name to row type. Row types stand by area in `tables/`, with the columns that the migrations make;
 * a new area is a file there and a line in each of the three lists here.
 */
export interface Database
  extends
    CardTables,
    ClearingTables,
    CustomerAccessTables,
    CustomerTables,
    DeliveryTables,
    KybTables,
    LedgerTables,
    OperatorTables,
    PartnerTables,
    ProgrammeTables,
    TransactionTables,
    VerificationTables {}

export type * from './tables/cards.ts';
export type * from './tables/clearing.ts';
export type * from './tables/customer-access.ts';
export type * from './tables/customers.ts';
export type * from './tables/deliveries.ts';
export type * from './tables/kyb.ts';
export type * from './tables/ledger.ts';
export type * from './tables/operators.ts';
export type * from './tables/partners.ts';
export type * from './tables/programmes.ts';
export type * from './tables/transactions.ts';
export type * from './tables/verifications.ts';
