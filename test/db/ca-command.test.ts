import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caCommand } from '../../cli/operate/ca.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import { openAuthorityFiles } from '../../vault/authority-key.ts';
import { createRoot, issueForRequest, privateKeyPem } from '../../vault/certificate-authority.ts';
import { openVault } from '../../vault/vault.ts';
import { writePrivate } from '../../cli/private-file.ts';
import { aCsr } from '../support/csr.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { openShell, type Shell } from '../support/run-command.ts';
import { TEST_CVK, testKeySources } from '../support/vault.ts';

// The key that the test vault has, as two components.
const COMPONENTS = [0x4b ^ 0x11, 0x11].map((byte) => Buffer.alloc(32, byte).toString('base64'));

let fresh: FreshDatabase;
let engine: Kysely<Database>;
let shell: Shell;
const keys = mkdtempSync(join(tmpdir(), 'cardloom-keys-'));

beforeAll(async () => {
  fresh = await freshDatabase();
  engine = createDatabase(createPool({ url: fresh.engineUrl, max: 2, name: 'test' }));
  const processorKeys = join(keys, 'processor-keys.json');
  writeFileSync(processorKeys, JSON.stringify({ cvk: { version: 1, key: TEST_CVK } }));
  shell = openShell(fresh, {
    SIM_PROCESSOR_KEYS: processorKeys,
    KEK_PROVIDER: 'components',
    KEK_COMPONENT_1: COMPONENTS[0] ?? '',
    KEK_COMPONENT_2: COMPONENTS[1] ?? '',
  });
});

afterAll(async () => {
  shell.end();
  rmSync(keys, { recursive: true, force: true });
  await engine.destroy();
  await fresh.drop();
});

const certificatesIn = (file: string): X509Certificate[] =>
  readFileSync(file, 'utf8')
    .split(/(?<=-----END CERTIFICATE-----)/)
    .filter((one) => one.includes('BEGIN'))
    .map((one) => new X509Certificate(one));

describe('cardloom ca', () => {
  it('init makes a root and an issuing authority whose key only the vault opens; renew another below the root', async () => {
    const out = join(shell.folder, 'ca');
    const made = JSON.parse(
      (await shell.run(caCommand, 'init', '--out', out, '--name', 'Bank', '--json')).output,
    );
    expect(made).toMatchObject({ CA_CHAIN: join(out, 'ca.pem'), CA_KEY: join(out, 'ca.key') });
    for (const file of ['ca.key', 'root.key']) expect(statSync(join(out, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(made.CA_KEY, 'utf8')).not.toContain('PRIVATE KEY');
    const [issuing, root] = certificatesIn(made.CA_CHAIN);
    expect([issuing?.subject, root?.subject]).toEqual([
      'CN=Bank issuing\nO=Cardloom',
      'CN=Bank root\nO=Cardloom',
    ]);
    expect(issuing?.verify(root?.publicKey as never)).toBe(true);

    const vault = await openVault(engine, testKeySources());
    const files = { chain: made.CA_CHAIN, key: made.CA_KEY };
    const authority = await openAuthorityFiles(vault, files, false);
    const subject = { commonName: 'bank-core', organization: 'Bank', unit: null, place: {} };
    const life = { days: 30, nowMs: Date.now() };
    const leaf = await issueForRequest(authority, (await aCsr()).csr, subject, life);
    expect(new X509Certificate(leaf.certificatePem).verify(issuing?.publicKey as never)).toBe(true);

    expect(await shell.run(caCommand, 'init', '--out', out)).toMatchObject({ code: 1 });
    const next = join(shell.folder, 'next');
    const kept = ['--root', join(out, 'root.pem'), '--root-key', join(out, 'root.key')];
    expect(await shell.run(caCommand, 'renew', ...kept, '--out', next)).toMatchObject({ code: 0 });
    const [second, same] = certificatesIn(join(next, 'ca.pem'));
    expect(second?.verify(root?.publicKey as never)).toBe(true);
    expect(same?.fingerprint256).toBe(root?.fingerprint256);
    expect(second?.fingerprint256).not.toBe(issuing?.fingerprint256);
    const rows = await engine.selectFrom('audit_log').select(['actor_type', 'object_id']).execute();
    expect(rows).toEqual([
      { actor_type: 'CLI', object_id: made.serial },
      { actor_type: 'CLI', object_id: second?.serialNumber.toLowerCase() },
    ]);
  });

  it('renew refuses a key that is not that of the root', async () => {
    const out = join(shell.folder, 'mixed');
    await shell.run(caCommand, 'init', '--out', out);
    const foreign = join(shell.folder, 'foreign.key');
    writePrivate(foreign, await privateKeyPem((await createRoot('Other')).keys));
    const mixed = ['--root', join(out, 'root.pem'), '--root-key', foreign];
    const refused = await shell.run(caCommand, 'renew', ...mixed, '--out', join(shell.folder, 'never'));
    expect(refused).toEqual({ code: 1, output: 'These files hold no root in force and its key.' });
  });
});
