import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSettings } from '../../domain/settings.ts';
import { checkVaultSettings, vaultSettings, type VaultSettings } from '../../vault/config.ts';
import { createKekFile, createProcessorKeysFile, readKeySources } from '../../vault/key-files.ts';
import { keyRing, newestKey } from '../../vault/key-ring.ts';
import { KEY_PURPOSES, missingKeys, type PurposeKey, unwrapKey, wrapKey } from '../../vault/keys.ts';
import { assembleVault } from '../../vault/vault.ts';
import { testKey, testKeySources, testVault } from '../support/vault.ts';

const COMPONENT = randomBytes(32).toString('base64');
const OTHER_COMPONENT = randomBytes(32).toString('base64');
const settingsOf = (environment: Record<string, string>): VaultSettings =>
  readSettings(vaultSettings, environment, () => '').values;

describe('settings', () => {
  it.each([
    ['KEK_PROVIDER', 'transit', 'transit is not built yet: use components'],
    ['KEK_PROVIDER', 'vault', 'must be one of local, components'],
    ['KEK_COMPONENT_1', 'short', 'must be 32 bytes as base64'],
    ['DOCUMENT_STORE', 's3://bucket', 's3: is not built yet: use file:<folder>'],
    ['DOCUMENT_STORE', '/tmp', 'must be file:<folder>'],
    ['CVC2_EXPIRY_ORDER', 'DDMM', 'must be one of YYMM, MMYY'],
  ])('%s=%s is a fault', (name, value, fault) => {
    expect(readSettings(vaultSettings, { [name]: value }, () => '').faults).toEqual([{ name, fault }]);
  });

  it('require both components, and different ones', () => {
    const one = settingsOf({ KEK_PROVIDER: 'components', KEK_COMPONENT_1: COMPONENT });
    expect(checkVaultSettings(one, false).map((fault) => fault.name)).toEqual(['KEK_COMPONENT_2']);
    const equal = { ...one, KEK_COMPONENT_2: COMPONENT };
    expect(checkVaultSettings(equal, false).map((fault) => fault.name)).toEqual(['KEK_COMPONENT_2']);
    expect(checkVaultSettings({ ...one, KEK_COMPONENT_2: OTHER_COMPONENT }, false)).toEqual([]);
  });

  it('refuse a local key and an unnamed software module in production', () => {
    const names = checkVaultSettings(settingsOf({}), true).map((fault) => fault.name);
    expect(names).toEqual(['KEK_PROVIDER', 'ALLOW_SOFTWARE_HSM']);
  });
});

describe('key files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vault-keys-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const paths = () => ({ kek: join(folder, 'kek.json'), processor: join(folder, 'processor-keys.json') });

  it('are made once, readable by their owner only', () => {
    const { kek, processor } = paths();
    createKekFile(kek);
    createProcessorKeysFile(processor);
    const before = readFileSync(kek, 'utf8');
    createKekFile(kek);
    expect(readFileSync(kek, 'utf8')).toBe(before);
    expect(statSync(kek).mode & 0o777).toBe(0o600);
    expect(statSync(processor).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(processor, 'utf8'))).toEqual({
      cvk: { version: 1, key: expect.stringMatching(/^[0-9A-F]{32}$/) },
      pinTransport: { keyId: 'ptk-1', key: expect.stringMatching(/^[0-9A-F]{32}$/) },
    });
  });

  it('give the XOR of two components as the key', () => {
    const environment = {
      KEK_PROVIDER: 'components',
      KEK_COMPONENT_1: COMPONENT,
      KEK_COMPONENT_2: OTHER_COMPONENT,
    };
    const sources = readKeySources(settingsOf({ ...environment, CARDLOOM_DATA_DIR: folder }));
    const second = Buffer.from(OTHER_COMPONENT, 'base64');
    const expected = Buffer.from(COMPONENT, 'base64').map((byte, at) => byte ^ (second[at] ?? 0));
    expect(newestKey(sources.kek).export()).toEqual(Buffer.from(expected));
    expect(sources.cvk).toBeNull();
  });

  it.each([
    '',
    '[]',
    '{"current":1,"keys":{}}',
    `{"current":2,"keys":{"1":{"components":["${COMPONENT}","${OTHER_COMPONENT}"]}}}`,
    `{"keys":{"1":{"components":["${COMPONENT}","${OTHER_COMPONENT}"]}}}`,
    '{"current":1,"keys":{"1":{"components":["AAAA","AAAA"]}}}',
    `{"current":1,"keys":{"1":{"components":["${COMPONENT}"]}}}`,
    `{"current":1,"keys":{"x":{"components":["${COMPONENT}","${OTHER_COMPONENT}"]}}}`,
  ])('are refused when they hold %s', (content) => {
    const settings = settingsOf({ CARDLOOM_DATA_DIR: folder, SIM_PROCESSOR_KEYS: paths().processor });
    expect(() => readKeySources(settings)).toThrow('kek.json is missing');
    mkdirSync(join(folder, 'keys'));
    writeFileSync(join(folder, 'keys', 'kek.json'), content);
    expect(() => readKeySources(settings)).toThrow(
      /key ring (holds no|lacks its newest) key|does not hold the expected keys/,
    );
  });
});

describe('purpose keys', () => {
  const { kek, cvk } = testKeySources();

  it('are made for every purpose at the first start, the CVK taken from the file', async () => {
    const keys = await missingKeys([], cvk);
    expect(keys.map((one) => one.purpose)).toEqual([...KEY_PURPOSES]);
    expect(await missingKeys(keys, cvk)).toEqual([]);
    expect(await missingKeys(keys, null)).toEqual([]);
    const kept = keys.find((one) => one.purpose === 'cvk');
    expect(kept?.secret.export()).toEqual(cvk?.key.export());
  });

  it('open with their key encryption key only, and only as what they were stored as', () => {
    const key: PurposeKey = testKey('pan-index');
    const stored = wrapKey(kek, key);
    expect(unwrapKey(kek, stored).secret.export()).toEqual(key.secret.export());
    const foreign = keyRing(new Map([[1, createSecretKey(randomBytes(32))]]));
    const message = 'key pan-index version 1 cannot be opened with the key encryption key';
    expect(() => unwrapKey(foreign, stored)).toThrow(message);
    expect(() => unwrapKey(kek, { ...stored, purpose: 'token' })).toThrow('key token version 1');
    expect(() => unwrapKey(kek, { ...stored, version: 2 })).toThrow('key pan-index version 2');
  });

  it('never include an invented or a differing CVK', async () => {
    await expect(missingKeys([], null)).rejects.toThrow('key cvk is missing');
    const other = { version: 1, key: createSecretKey(randomBytes(16)) };
    await expect(missingKeys([testKey('cvk')], other)).rejects.toThrow('key cvk version 1 differs');
    const later = await missingKeys(
      KEY_PURPOSES.map((one) => testKey(one)),
      { ...other, version: 2 },
    );
    expect(later.map(({ purpose, version }) => ({ purpose, version }))).toEqual([
      { purpose: 'cvk', version: 2 },
    ]);
  });

  it('are all needed for a vault', () => {
    const keys = KEY_PURPOSES.filter((one) => one !== 'pepper').map((one) => testKey(one));
    expect(() => assembleVault({ ...testKeySources(), keys })).toThrow('key pepper is missing');
  });

  it('show nothing when the vault is printed', () => {
    const vault = testVault();
    const shown = inspect(vault, { depth: 9 }) + JSON.stringify(vault);
    for (const ring of [vault.kek, vault.panIndex, vault.pepper]) {
      const bytes = newestKey(ring).export();
      expect(shown).not.toContain(bytes.toString('hex'));
      expect(shown).not.toContain(bytes.toString('base64'));
    }
    expect(shown).not.toMatch(/FEDCBA98/i);
  });
});
