import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../cli/command.ts';
import { CommandFailed } from '../../cli/exit-code.ts';
import { certificatesCommand } from '../../cli/operate/certificates.ts';
import { createDetector } from '../../cli/operate/leaks/detector.ts';
import { scanTables } from '../../cli/operate/leaks/scan-tables.ts';
import { revokeCommand } from '../../cli/operate/revoke.ts';
import { traceCommand } from '../../cli/operate/trace.ts';
import { verifyLedgerCommand } from '../../cli/operate/verify-ledger.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';

describe('operator commands', () => {
  let fresh: FreshDatabase;
  let owner: Kysely<Database>;
  const dataDir = mkdtempSync(join(tmpdir(), 'cardloom-commands-'));

  /** Runs a command as a person would, against the database of this file. */
  async function run(command: Command, ...args: string[]) {
    const lines: string[] = [];
    const environment = {
      CARDLOOM_DATA_DIR: dataDir,
      DATABASE_URL: fresh.appUrl,
      DATABASE_ENGINE_URL: fresh.engineUrl,
      DATABASE_OWNER_URL: fresh.ownerUrl,
    };
    const out = (line: string) => void lines.push(line);
    const json = args.includes('--json');
    const io = { out, err: out, json, environment, projectDir: dataDir };
    const given = args.filter((one) => one !== '--json');
    const code = await command.run(given, io).catch((error: unknown) => {
      if (error instanceof CommandFailed) return [error.code, error.message] as const;
      throw error;
    });
    return { code: typeof code === 'number' ? code : code[0], output: lines.join('\n') };
  }

  beforeAll(async () => {
    fresh = await freshDatabase();
    owner = createDatabase(createPool({ url: fresh.ownerUrl, max: 2, name: 'test' }));
    await owner
      .insertInto('certificates')
      .values({
        certificate_id: randomUUID(),
        partner_id: null,
        label: 'processor',
        scopes: ['processor'],
        subject: 'CN=processor',
        contact_email: null,
        key_sha256: 'k1',
        serial: '4a01ff',
        fingerprint_sha256: 'ab'.repeat(32),
        not_before: new Date('2026-01-01T00:00:00Z'),
        not_after: new Date('2099-01-01T00:00:00Z'),
        state: 'ACTIVE',
        revoked_at: null,
        revocation_reason: null,
        last_used_at: null,
      })
      .execute();
  });
  afterAll(async () => {
    await owner.destroy();
    await fresh.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('certificates lists the registry', async () => {
    const { code, output } = await run(certificatesCommand);
    expect(code).toBe(0);
    expect(output).toMatch(/processor +ACTIVE +processor +2099-01-01 +4a01ff/);
  });

  it('revoke needs one name and a known reason', async () => {
    expect(await run(revokeCommand, '--reason', 'SUPERSEDED')).toMatchObject({ code: 64 });
    expect(await run(revokeCommand, '--serial', '4a01ff', '--reason', 'LOST')).toMatchObject({ code: 64 });
    expect(await run(revokeCommand, '--serial', '00', '--reason', 'SUPERSEDED')).toMatchObject({ code: 1 });
  });

  it('revoke ends a certificate once and leaves an audit row with who did it', async () => {
    const args = ['--serial', '4A:01:FF', '--reason', 'KEY_COMPROMISE', '--operator', 'ada'];
    expect(await run(revokeCommand, ...args)).toMatchObject({ code: 0 });
    const row = await owner.selectFrom('certificates').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ state: 'REVOKED', revocation_reason: 'KEY_COMPROMISE' });
    expect(row.revoked_at).toBeInstanceOf(Date);
    const audits = await owner
      .selectFrom('audit_log')
      .selectAll()
      .where('action', '=', 'certificate.revoked')
      .execute();
    expect(audits).toHaveLength(1);
    expect(audits[0]).toMatchObject({ actor_type: 'CLI', object_id: row.certificate_id });
    expect(audits[0]?.actor_id).toMatch(/ for ada$/);
    expect(await run(revokeCommand, ...args)).toMatchObject({ code: 1 });
  });

  it('trace says when there is no such decision', async () => {
    expect(await run(traceCommand, randomUUID())).toMatchObject({ code: 1 });
    expect(await run(traceCommand, 'no-uuid')).toMatchObject({ code: 64 });
  });

  it('verify-ledger is content with an empty ledger', async () => {
    expect(await run(verifyLedgerCommand, '--json')).toMatchObject({
      code: 0,
      output: '{"ok":true,"differences":[]}',
    });
  });

  it('the leak scan finds a card number in text, JSON and bytes, and names only the place', async () => {
    const pan = ['555544', '9900000014'].join('');
    const detect = createDetector([pan]);
    expect((await scanTables(owner, detect, [pan])).leaks).toEqual([]);
    await sql`create table note (content text, facts jsonb, bytes bytea)`.execute(owner);
    await sql`insert into note values
      (${`card ${pan}`}, ${JSON.stringify({ cvv: '123' })}::jsonb, ${Buffer.from(`x${pan}`)})`.execute(owner);
    const { leaks } = await scanTables(owner, detect, [pan]);
    expect(leaks.map(({ kind, place }) => `${kind} ${place.split(' ')[0]}`).sort()).toEqual([
      'CARD_NUMBER public.note.bytes',
      'CARD_NUMBER public.note.content',
      'CVC2 public.note.facts',
    ]);
    expect(JSON.stringify(leaks)).not.toContain(pan);
  });
});
