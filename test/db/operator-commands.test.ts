import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../cli/command.ts';
import { CommandFailed } from '../../cli/exit-code.ts';
import { certificatesCommand } from '../../cli/operate/certificates.ts';
import { clearingFilesCommand } from '../../cli/operate/clearing-files.ts';
import { exceptionsCommand } from '../../cli/operate/exceptions.ts';
import { createDetector } from '../../cli/operate/leaks/detector.ts';
import { scanTables } from '../../cli/operate/leaks/scan-tables.ts';
import { postClearingFileCommand } from '../../cli/operate/post-clearing-file.ts';
import { reconcileCommand } from '../../cli/operate/reconcile.ts';
import { releaseHoldCommand } from '../../cli/operate/release-hold.ts';
import { revokeCommand } from '../../cli/operate/revoke.ts';
import { traceCommand } from '../../cli/operate/trace.ts';
import { verifyLedgerCommand } from '../../cli/operate/verify-ledger.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import { aClearingFile } from '../support/clearing-file.ts';
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
      if (!(error instanceof CommandFailed)) throw error;
      lines.push(error.message);
      return error.code;
    });
    return { code, output: lines.join('\n') };
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

  it('post-clearing-file queues a file with its bytes, once', async () => {
    const file = aClearingFile([], { fileId: 'by-hand' });
    const path = join(dataDir, 'file.ndjson');
    writeFileSync(path, file.bytes);
    expect(await run(postClearingFileCommand, path)).toMatchObject({ code: 64 });
    const args = [path, '--processor', 'processor'];
    expect(await run(postClearingFileCommand, ...args)).toMatchObject({
      code: 0,
      output: expect.stringContaining('by-hand is queued with 0 records'),
    });
    expect(await run(postClearingFileCommand, ...args)).toMatchObject({
      code: 0,
      output: expect.stringContaining('by-hand is known'),
    });
    const chunks = await owner.selectFrom('clearing_chunks').select('bytes').execute();
    expect(chunks).toEqual([{ bytes: file.bytes }]);
    writeFileSync(path, aClearingFile([{ amount: 1 }], { fileId: 'by-hand' }).bytes);
    expect(await run(postClearingFileCommand, ...args)).toMatchObject({
      code: 1,
      output: expect.stringContaining('FILE_CHANGED'),
    });
    writeFileSync(path, 'no file');
    expect(await run(postClearingFileCommand, ...args)).toMatchObject({ code: 1 });
    expect(await run(postClearingFileCommand, join(dataDir, 'nothing'))).toMatchObject({ code: 1 });
  });

  it('clearing-files lists files and shows one', async () => {
    expect((await run(clearingFilesCommand)).output).toMatch(/by-hand +2026-03-02 +QUEUED +0/);
    expect(JSON.parse((await run(clearingFilesCommand, 'by-hand', '--json')).output)).toMatchObject({
      fileId: 'by-hand',
      source: 'OPERATOR',
      status: 'QUEUED',
    });
    expect(await run(clearingFilesCommand, 'nothing')).toMatchObject({ code: 1 });
  });

  it('exceptions are listed, claimed, assigned and resolved', async () => {
    const id = '01956b7e-55aa-4c11-8a31-0b5d6f0c2a11';
    await owner
      .insertInto('exceptions')
      .values({
        exception_id: id,
        partner_id: null,
        kind: 'FILE_TOTALS',
        severity: 'CRITICAL',
        transaction_id: null,
        record_id: null,
        values: JSON.stringify({ fileId: 'F1', reason: 'TOTALS' }),
      })
      .execute();
    expect((await run(exceptionsCommand)).output).toMatch(/FILE_TOTALS +CRITICAL +OPEN .*fileId=F1/);
    expect(await run(exceptionsCommand, '--severity', 'warn')).toMatchObject({ output: 'no exception' });
    expect(await run(exceptionsCommand, '--state', 'lost')).toMatchObject({ code: 64 });
    expect(await run(exceptionsCommand, 'claim', id)).toMatchObject({ code: 0 });
    expect(await run(exceptionsCommand, 'assign', id, '--to', 'bob')).toMatchObject({ code: 0 });
    const resolve = ['resolve', id, '--note', 'sent again', '--operator', 'ada'];
    expect(await run(exceptionsCommand, ...resolve, '--resolution', 'WRITE_OFF')).toMatchObject({
      code: 1,
      output: expect.stringContaining('RESOLUTION_NOT_FOR_KIND'),
    });
    expect(await run(exceptionsCommand, ...resolve, '--resolution', 'accept')).toMatchObject({ code: 0 });
    const [shown] = JSON.parse((await run(exceptionsCommand, '--json')).output).items;
    expect(shown).toMatchObject({ state: 'RESOLVED', resolution: 'ACCEPT', note: 'sent again' });
    expect(shown.resolvedBy).toMatch(/ for ada$/);
  });

  it('reconcile runs one job', async () => {
    expect(await run(reconcileCommand, '--job', 'holds')).toMatchObject({
      code: 0,
      output: 'holds: no difference',
    });
    expect(await run(reconcileCommand, '--job', 'clearing')).toMatchObject({ code: 64 });
    expect(await run(reconcileCommand, '--job', 'nothing')).toMatchObject({ code: 64 });
  });

  it('release-hold wants one transaction, a reason and a whole amount', async () => {
    const id = randomUUID();
    expect(await run(releaseHoldCommand, id)).toMatchObject({ code: 64 });
    expect(await run(releaseHoldCommand, 'no-uuid', '--reason', 'x')).toMatchObject({ code: 64 });
    expect(await run(releaseHoldCommand, id, '--reason', 'x', '--amount', '1.5')).toMatchObject({ code: 64 });
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
