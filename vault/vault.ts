import type { KeyObject } from 'node:crypto';
import type { Kysely } from 'kysely';
import { VaultFault } from './errors.ts';
import { createGate, type Gate } from './gate.ts';
import type { KeySources } from './key-files.ts';
import { type KeyRing, keyRing } from './key-ring.ts';
import { loadKeys, lockKeys, storeKey } from './key-rows.ts';
import { type KeyPurpose, missingKeys, type PurposeKey, unwrapKey, wrapKey } from './keys.ts';
import { createSoftwareModule, type SecurityModule } from './module.ts';
import { type PlatformKey, platformKey, type PlatformKeys } from './platform-key.ts';

/** The opened keys of one process. Made once at start by `openVault` and handed to every function of the vault. */
export interface Vault extends PlatformKeys {
  readonly kek: KeyRing;
  readonly panIndex: KeyRing;
  readonly personalDataIndex: KeyRing;
  readonly token: KeyRing;
  readonly pepper: KeyRing;
  readonly connectionSecrets: KeyRing;
  /** Seals answers and deliveries that are kept for repeats. */
  readonly messageBodies: KeyRing;
  /** Signs the heads of the audit chains; PKCS8 of Ed25519 keys. */
  readonly auditAnchor: KeyRing;
  readonly module: SecurityModule;
  readonly decryptions: Gate;
}

export type OpenedKey = PurposeKey & { readonly createdAt: Date };

interface VaultParts extends Omit<KeySources, 'cvk'> {
  readonly keys: readonly OpenedKey[];
  readonly now?: () => Date;
}

const DECRYPTIONS_AT_ONCE = 8;
const DECRYPTIONS_WAITING = 100;

/**
 * Opens the keys in the database with the key encryption key; at the first start it makes them. `db` is a
 * connection of the role cardloom_engine. Processes that start together agree on one set. Throws a
 * `VaultFault` naming purpose and version when a key cannot be opened (operations 4, KEYS).
 */
export async function openVault<DB>(db: Kysely<DB>, sources: KeySources): Promise<Vault> {
  let keys = await openKeys(db, sources.kek);
  const missing = await missingKeys(keys, sources.cvk);
  if (missing.length > 0) {
    await db.transaction().execute(async (trx) => {
      await lockKeys(trx);
      for (const key of missing) await storeKey(trx, wrapKey(sources.kek, key));
    });
    keys = await openKeys(db, sources.kek);
  }
  return assembleVault({ ...sources, keys });
}

async function openKeys<DB>(db: Kysely<DB>, kek: KeyRing): Promise<OpenedKey[]> {
  const rows = await loadKeys(db);
  return rows.map((row) => ({ ...unwrapKey(kek, row), createdAt: row.createdAt }));
}

/** A vault from opened keys. Throws a `VaultFault` when a purpose has no key. */
export function assembleVault(parts: VaultParts): Vault {
  const { kek, keys, cvc2ExpiryOrder, now = () => new Date() } = parts;
  return {
    kek,
    panIndex: ringOf(keys, 'pan-index'),
    personalDataIndex: ringOf(keys, 'personal-data-index'),
    token: ringOf(keys, 'token'),
    pepper: ringOf(keys, 'pepper'),
    connectionSecrets: ringOf(keys, 'connection-secrets'),
    messageBodies: ringOf(keys, 'message-bodies'),
    auditAnchor: ringOf(keys, 'audit-anchor'),
    platformKeys: platformKeysOf(keys),
    module: createSoftwareModule({ cvk: ringOf(keys, 'cvk'), cvc2ExpiryOrder }),
    decryptions: createGate({ atOnce: DECRYPTIONS_AT_ONCE, waiting: DECRYPTIONS_WAITING }),
    now,
  };
}

function ringOf(keys: readonly OpenedKey[], purpose: KeyPurpose): KeyRing {
  const versions = new Map<number, KeyObject>();
  for (const key of keys) if (key.purpose === purpose) versions.set(key.version, key.secret);
  if (versions.size === 0) throw new VaultFault(`key ${purpose} is missing`);
  return keyRing(versions);
}

function platformKeysOf(keys: readonly OpenedKey[]): PlatformKey[] {
  return keys
    .filter((one) => one.purpose === 'jwe')
    .sort((one, other) => other.version - one.version)
    .map((one) => {
      const pkcs8 = one.secret.export();
      try {
        return platformKey(one.version, pkcs8, one.createdAt);
      } finally {
        pkcs8.fill(0);
      }
    });
}
