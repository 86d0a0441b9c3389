import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../cli/command.ts';
import { CommandFailed } from '../../cli/exit-code.ts';
import { ensureDemoOperators } from '../../cli/demo-operators.ts';
import { createOperatorCommand } from '../../cli/operate/create-operator.ts';
import { verifyAuditCommand } from '../../cli/operate/verify-audit.ts';
import { demoPassword } from '../../cli/secrets.ts';
import { atomically } from '../../db/atomically.ts';
import { sealAudit } from '../../db/audit-seals.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import { lastPasswords } from '../../db/operator-passwords.ts';
import { findDatabaseFaults } from '../../db/start-checks.ts';
import { isSecret } from '../../vault/password.ts';
import { tokenHashes } from '../../vault/session-token.ts';
import { openVault } from '../../vault/vault.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { testKeySources, testVault } from '../support/vault.ts';

let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
const folder = mkdtempSync(join(tmpdir(), 'cardloom-operators-'));

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = createDatabase(createPool({ url: fresh.ownerUrl, max: 2, name: 'test' }));
  engine = createDatabase(createPool({ url: fresh.engineUrl, max: 2, name: 'test' }));
  writeFileSync(
    join(folder, 'processor-keys.json'),
    JSON.stringify({ cvk: { version: 1, key: '0123456789ABCDEFFEDCBA9876543210' } }),
  );
});

afterAll(async () => {
  await owner.destroy();
  await engine.destroy();
  await fresh.drop();
  rmSync(folder, { recursive: true, force: true });
});

// The key that the test vault has, as two components.
const COMPONENTS = [Buffer.alloc(32, 0x4b ^ 0x11), Buffer.alloc(32, 0x11)].map((one) =>
  one.toString('base64'),
);

const run = (...args: string[]) => runCommand(createOperatorCommand, args);

async function runCommand(command: Command, args: string[]): Promise<{ code: number; output: string }> {
  const lines: string[] = [];
  const out = (line: string) => void lines.push(line);
  const environment = {
    CARDLOOM_DATA_DIR: folder,
    DATABASE_ENGINE_URL: fresh.engineUrl,
    DATABASE_URL: fresh.appUrl,
    KEK_PROVIDER: 'components',
    KEK_COMPONENT_1: COMPONENTS[0],
    KEK_COMPONENT_2: COMPONENTS[1],
    SIM_PROCESSOR_KEYS: join(folder, 'processor-keys.json'),
    PUBLIC_URL: 'https://cards.bank.test',
    AUDIT_ANCHOR_URL: `file:${join(folder, 'anchors')}`,
  };
  const io = { out, err: out, json: args.includes('--json'), environment, projectDir: folder };
  try {
    const given = args.filter((one) => one !== '--json');
    return { code: await command.run(given, io), output: lines.join('\n') };
  } catch (error) {
    if (error instanceof CommandFailed) return { code: error.code, output: error.message };
    throw error;
  }
}

describe('cardloom create-operator', () => {
  it('makes the first one Admin, and prints a link whose token is kept as a hash only', async () => {
    const first = await run(
      '--email',
      'Root@Bank.Test',
      '--role',
      'Employee',
      '--scope',
      'PLATFORM',
      '--json',
    );
    expect(first.code).toBe(0);
    const told = JSON.parse(first.output);
    expect(told).toMatchObject({ email: 'root@bank.test', role: 'Admin', scope: 'PLATFORM' });
    expect(told.link).toMatch(/^https:\/\/cards\.bank\.test\/panel\/invitation\?token=lnk_/);
    const token = new URL(told.link).searchParams.get('token') ?? '';
    const vault = await openVault(engine, { ...testKeySources(), cvk: null });
    const link = await owner.selectFrom('operator_links').selectAll().executeTakeFirstOrThrow();
    expect(link).toMatchObject({ operator_id: told.operatorId, purpose: 'INVITATION', used_at: null });
    expect(tokenHashes(vault, 'lnk', token)).toEqual([link.token_hash]);
  });

  it('gives the next ones the role that was asked for', async () => {
    const next = await run('--email', 'next@bank.test', '--role', 'Manager', '--scope', 'PLATFORM');
    expect(next.output).toContain('next@bank.test is invited as Manager');
    const row = await owner
      .selectFrom('audit_log')
      .select(['actor_type', 'after'])
      .where('action', '=', 'operator.invited')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    expect(row).toEqual({ actor_type: 'CLI', after: { role: 'Manager', scope: 'PLATFORM' } });
  });

  it.each([
    [1, ['--email', 'next@bank.test', '--role', 'Manager', '--scope', 'PLATFORM']],
    [1, ['--email', 'x@bank.test', '--role', 'Manager', '--scope', 'PARTNER', '--partner', 'nobody']],
    [64, ['--email', 'x@bank.test', '--role', 'Manager', '--scope', 'PARTNER']],
    [64, ['--email', 'x@bank.test', '--role', 'Manager', '--scope', 'PLATFORM', '--partner', 'demo']],
    [64, ['--email', 'no address', '--role', 'Manager', '--scope', 'PLATFORM']],
    [64, ['--email', 'x@bank.test', '--role', 'Owner', '--scope', 'PLATFORM']],
  ])('ends with %i: %j', async (code, args) => {
    expect((await run(...args)).code).toBe(code);
  });
});

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'test' },
  requestId: 'test',
  ip: null,
} as const;

describe('cardloom verify-audit', () => {
  const verify = (...args: string[]) => runCommand(verifyAuditCommand, args);

  it('ends with 0 while the audit log is whole, with 1 and the place once it is not', async () => {
    await atomically(engine, caller, sealAudit);
    const whole = await verify();
    expect(whole.code).toBe(0);
    expect(whole.output).toContain('the audit log is whole');
    const superuser = createDatabase(createPool({ url: fresh.adminUrl, max: 1, name: 'test' }));
    await sql`set session_replication_role = replica`.execute(superuser);
    await sql`update audit_log set actor_id = 'somebody else'`.execute(superuser);
    await superuser.destroy();
    const changed = await verify('--json');
    expect(changed.code).toBe(1);
    expect(JSON.parse(changed.output)).toMatchObject({
      ok: false,
      chains: [{ chain: 'platform', firstBadSeq: 1, problem: 'HASH' }],
    });
    expect(await verify('--chain', 'another')).toEqual({ code: 1, output: 'There is no such chain.' });
    expect((await verify('--chain', 'platform')).code).toBe(1);
    expect((await verify('--wrong')).code).toBe(64);
  });
});

describe('the demo operators', () => {
  const vault = testVault();

  it('are inserted once, each with the password that quickstart.json tells; no production process starts', async () => {
    const { partner_id: partnerId } = await owner
      .insertInto('partners')
      .values({ public_id: '00000000-0000-4000-8000-000000000009', code: 'demo', name: 'Demo' })
      .returning('partner_id')
      .executeTakeFirstOrThrow();
    const passwordOf = (email: string) => demoPassword('a secret of the data folder', email);
    const check = async (production: boolean) => {
      const urls = [fresh.appUrl, fresh.engineUrl];
      const findings = await findDatabaseFaults({ urls, connections: 1, production }, () => undefined);
      return findings.filter((one) => one.code === 'DEFAULT_SECRET').map((one) => one.warning);
    };
    expect(await check(true)).toEqual([]);
    const told = await ensureDemoOperators(engine, vault, caller, partnerId, passwordOf);
    expect(await ensureDemoOperators(engine, vault, caller, partnerId, passwordOf)).toEqual(told);
    expect(told.map(({ email, role, scope }) => [email, role, scope])).toEqual([
      ['admin@demo.test', 'Admin', 'PLATFORM'],
      ['second@demo.test', 'Admin', 'PLATFORM'],
      ['employee@demo.test', 'Employee', 'PARTNER'],
    ]);
    const rows = await owner.selectFrom('operators').selectAll().where('demo', '=', true).execute();
    expect(rows).toHaveLength(3);
    for (const row of rows) {
      const [stored = null] = await lastPasswords(engine, row.operator_id);
      expect(row.state).toBe('ACTIVE');
      expect(await isSecret(vault, passwordOf(row.email), stored)).toBe(true);
    }
    expect(await check(false)).toEqual([]);
    expect(await check(true)).toEqual([false]);
  });
});
