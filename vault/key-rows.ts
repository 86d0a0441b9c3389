import { type Kysely, sql, type Transaction } from 'kysely';
import type { KeyPurpose, StoredKey } from './keys.ts';

export interface KeyRow extends StoredKey {
  readonly createdAt: Date;
}

/** Every live key, wrapped. */
export async function loadKeys<DB>(db: Kysely<DB>): Promise<KeyRow[]> {
  const { rows } = await sql<{
    purpose: KeyPurpose;
    version: number;
    wrapped: Buffer;
    kek_version: number;
    created_at: Date;
  }>`select purpose, version, wrapped, kek_version, created_at from vault.load_keys()`.execute(db);
  return rows.map(({ kek_version, created_at, ...row }) => ({
    ...row,
    kekVersion: kek_version,
    createdAt: created_at,
  }));
}

/** Makes this transaction the only one that adds keys until it ends. */
export async function lockKeys<DB>(trx: Transaction<DB>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('vault.keys'))`.execute(trx);
}

/** Adds a key version; a version that is there stays as it is. */
export async function storeKey<DB>(trx: Transaction<DB>, key: StoredKey): Promise<void> {
  await sql`select vault.store_key(${key.purpose}, ${key.version}, ${key.wrapped}, ${key.kekVersion})`.execute(
    trx,
  );
}
