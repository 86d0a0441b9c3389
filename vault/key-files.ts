import { type KeyObject, createSecretKey, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { localKekPath, processorKeysPath, type VaultSettings } from './config.ts';
import { VaultFault } from './errors.ts';
import { type KeyRing, keyRing } from './key-ring.ts';

const KEK_BYTES = 32;
const CVK_HEX = /^[0-9A-Fa-f]{32}$/;

/** A card verification key as it is imported: double-length 3DES, 16 bytes. */
export interface ImportedCvk {
  readonly version: number;
  readonly key: KeyObject;
}

/** What `openVault` needs from outside the database. */
export interface KeySources {
  readonly kek: KeyRing;
  /** Null when there is no file; then the database must hold one already. */
  readonly cvk: ImportedCvk | null;
  readonly cvc2ExpiryOrder: 'YYMM' | 'MMYY';
}

/** Reads the key encryption key and the shared card keys that the settings name. Throws a `VaultFault`. */
export function readKeySources(settings: VaultSettings): KeySources {
  return {
    kek: readKek(settings),
    cvk: readCvk(processorKeysPath(settings)),
    cvc2ExpiryOrder: settings.CVC2_EXPIRY_ORDER,
  };
}

function readKek(settings: VaultSettings): KeyRing {
  if (settings.KEK_PROVIDER === 'components') {
    const components = [settings.KEK_COMPONENT_1, settings.KEK_COMPONENT_2];
    return keyRing(new Map([[1, joinComponents(components, 'KEK_COMPONENT_1 and 2')]]));
  }
  const path = localKekPath(settings);
  const file = readJson(path);
  if (file === null) throw new VaultFault(`${path} is missing: npm start makes it`);
  return kekOfFile(file, path);
}

function kekOfFile(file: unknown, path: string): KeyRing {
  const { current, keys } = asObject(file, path);
  if (typeof current !== 'number') throw malformed(path);
  const ring = new Map<number, KeyObject>();
  for (const [version, entry] of Object.entries(asObject(keys, path))) {
    const { components } = asObject(entry, path);
    if (!/^[1-9][0-9]{0,8}$/.test(version) || !Array.isArray(components)) throw malformed(path);
    ring.set(Number(version), joinComponents(components, path));
  }
  return keyRing(ring, current);
}

/** XOR of two components of full length: neither alone tells anything about the key. */
function joinComponents(components: readonly unknown[], source: string): KeyObject {
  const [first, second] = components.map((one) => Buffer.from(typeof one === 'string' ? one : '', 'base64'));
  if (components.length !== 2 || first?.length !== KEK_BYTES || second?.length !== KEK_BYTES) {
    throw malformed(source);
  }
  const key = Buffer.from(first.map((byte, at) => byte ^ (second[at] ?? 0)));
  try {
    return createSecretKey(key);
  } finally {
    for (const bytes of [first, second, key]) bytes.fill(0);
  }
}

function readCvk(path: string): ImportedCvk | null {
  const file = readJson(path);
  if (file === null) return null;
  const { version, key } = asObject(asObject(file, path)['cvk'], path);
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) throw malformed(path);
  if (typeof key !== 'string' || !CVK_HEX.test(key)) throw malformed(path);
  return { version, key: createSecretKey(Buffer.from(key, 'hex')) };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw malformed(path);
  }
}

function asObject(value: unknown, source: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(source);
  return value as Record<string, unknown>;
}

const malformed = (source: string): VaultFault => new VaultFault(`${source} does not hold the expected keys`);

/** Makes the local key encryption key unless the file is there. The folder must exist. */
export function createKekFile(path: string): void {
  const components = [randomBytes(KEK_BYTES), randomBytes(KEK_BYTES)].map((one) => one.toString('base64'));
  createOnce(path, { current: 1, keys: { '1': { components } } });
}

/** Makes the keys shared with the processor simulator unless the file is there. The folder must exist. */
export function createProcessorKeysFile(path: string): void {
  createOnce(path, {
    cvk: { version: 1, key: randomBytes(16).toString('hex').toUpperCase() },
    pinTransport: { keyId: 'ptk-1', key: randomBytes(16).toString('hex').toUpperCase() },
  });
}

function createOnce(path: string, content: object): void {
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw error;
  }
  // A key lost to a power cut would make the data unreadable that the next second seals with it.
  writeSync(file, `${JSON.stringify(content)}\n`);
  fsyncSync(file);
  closeSync(file);
}
