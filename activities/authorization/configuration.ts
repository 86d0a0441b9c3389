import type { Kysely } from 'kysely';
import type { Caller } from '../../domain/actor.ts';
import type { LimitDocument } from '../../domain/limit.ts';
import type { AccountCode } from '../../domain/ledger.ts';
import { atomically } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import {
  type AccountScope,
  type NewPartnerBalance,
  openPartnerBalance,
  sharedAccounts,
} from '../../db/ledger.ts';
import { findProgramme, type Programme } from '../../db/partners.ts';

export interface Product {
  readonly version: number;
  readonly pinTries: number;
  readonly anonymous: boolean;
  readonly limits: LimitDocument | null;
}

const ACCOUNTS = ['NS', 'NR', 'PH', 'CB'] as const satisfies readonly AccountCode[];
/** Accounts of card traffic that have no cached value. */
export type SharedCode = (typeof ACCOUNTS)[number];
type SharedAccounts = Readonly<Record<SharedCode, number>>;

/**
 * What decisions need and seldom changes, kept in memory. Programmes and products are asked for with the
 * version that the batch has just read, so a change is seen by the next batch (authorization 6, S3).
 */
export interface Configuration {
  programme(programmeId: number, version: number): Promise<Programme>;
  product(productId: number, version: number): Promise<Product>;
  /** Accounts without a cached value; opened at their first use. */
  accounts(scope: AccountScope): Promise<SharedAccounts>;
  /** Makes sure that a partner balance is there to be locked: it opens at its first posting (money 2). */
  ensurePartnerBalance(balance: NewPartnerBalance): Promise<void>;
}

const ENGINE: Caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'authorization' },
  requestId: 'configuration',
  ip: null,
};

/**
 * A configuration that reads through `engine`, outside the transactions of batches. These hold locks meanwhile, so
 * its connections must be nobody else's: one that waits for such a lock would never be free.
 */
export function createConfiguration(engine: Kysely<Database>): Configuration {
  const programmes = new Map<number, Programme>();
  const products = new Map<number, Product>();
  const accounts = new Map<string, SharedAccounts>();
  const opened = new Set<string>();

  return {
    async programme(programmeId, version) {
      const known = programmes.get(programmeId);
      if (known?.version === version) return known;
      const read = await findProgramme(engine, programmeId);
      if (read === undefined) throw new Error('a card names a programme that does not exist');
      programmes.set(programmeId, read);
      return read;
    },
    async product(productId, version) {
      const known = products.get(productId);
      if (known?.version === version) return known;
      const read = await readProduct(engine, productId);
      products.set(productId, read);
      return read;
    },
    async accounts(scope) {
      const known = accounts.get(keyOf(scope));
      if (known !== undefined) return known;
      const read = await atomically(engine, ENGINE, (trx) => sharedAccounts(trx, scope, ACCOUNTS));
      accounts.set(keyOf(scope), read);
      return read;
    },
    async ensurePartnerBalance(balance) {
      const key = `${balance.kind} ${keyOf(balance)}`;
      if (opened.has(key)) return;
      await atomically(engine, ENGINE, (trx) => openPartnerBalance(trx, balance));
      opened.add(key);
    },
  };
}

const keyOf = ({ programmeId, currency }: AccountScope): string => `${programmeId}/${currency}`;

async function readProduct(engine: Kysely<Database>, productId: number): Promise<Product> {
  const row = await engine
    .selectFrom('card_products')
    .select(['version', 'pin_tries', 'anonymous', 'limits'])
    .where('product_id', '=', productId)
    .executeTakeFirstOrThrow();
  const { version, pin_tries: pinTries, anonymous, limits } = row;
  return { version, pinTries, anonymous, limits };
}
