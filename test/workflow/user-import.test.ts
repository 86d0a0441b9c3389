import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createUserImportActivities } from '../../activities/database/user-imports.ts';
import { atomically } from '../../db/atomically.ts';
import { listAddresses } from '../../db/customer-addresses.ts';
import { newSubjectId, personalPlace, readCustomer } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import type { Programme } from '../../db/partners.ts';
import { handOverWorkflowRows } from '../../db/relay.ts';
import { cancelImport, countRows, createImport, listRows, readImport } from '../../db/user-imports.ts';
import type { WorkflowStart } from '../../domain/event.ts';
import type { ImportMode } from '../../domain/user-import.ts';
import { startFromOutbox } from '../../temporal/workflows.ts';
import { openDocumentStore, putDocument } from '../../vault/document-store.ts';
import { newSubjectKey, sealPersonal } from '../../vault/personal-data.ts';
import { aProgramme, connect, engineCaller, partnerCaller } from '../support/customers.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { connectTemporal, type TestTemporal } from '../support/temporal.ts';
import { testVault } from '../support/vault.ts';

/** Rows of the big file; by hand it was run with 10,000. */
const MANY = Number(process.env['CARDLOOM_IMPORT_ROWS'] ?? 2_000);

const vault = testVault();
const folder = mkdtempSync(join(tmpdir(), 'cardloom-import-'));
const documents = openDocumentStore(`file:${folder}`);
let database: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let temporal: TestTemporal;
let programme: Programme;

beforeAll(async () => {
  database = await freshDatabase();
  owner = connect(database.ownerUrl);
  engine = connect(database.engineUrl);
  temporal = await connectTemporal(inject('temporalAddress'), inject('temporalNamespace'));
  programme = await aProgramme(owner, { kyc_mode: 'EXTERNAL', external_kyc: true });
});
afterAll(async () => {
  await temporal.close();
  await owner.destroy();
  await engine.destroy();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const HEADER = ['firstName', 'lastName', 'phone', 'email', 'birthDate', 'externalId', 'kyc'];
let phones = 100_000_000;

/** The cells of a good row; everybody has a phone of their own. */
function row(changes: Readonly<Record<string, string>> = {}): string[] {
  phones += 1;
  const good: Record<string, string> = {
    firstName: 'Ada',
    lastName: 'Nowak',
    phone: `48${phones}`,
    email: `ada${phones}@example.com`,
    birthDate: '1990-04-12',
    externalId: `x-${phones}`,
    kyc: 'SUCCESS',
    ...changes,
  };
  return HEADER.map((column) => good[column] ?? '');
}

const csv = (rows: readonly string[][], header = HEADER): string =>
  [header, ...rows].map((cells) => cells.join(',')).join('\n');

async function receive(content: string, mode: ImportMode = 'CREATE', dryRun = false): Promise<string> {
  const given = await atomically(engine, partnerCaller(programme.partnerId), async (trx) => {
    const { partnerId } = programme;
    const subjectKey = newSubjectKey(vault, { subjectId: newSubjectId(trx), partnerId });
    const file = await putDocument(vault, documents, { subjectKey, content: Buffer.from(content) });
    return await createImport(trx, programme, { subjectKey, mode, dryRun, file });
  });
  while (await handOver());
  return given.import_id;
}

/** Hands waiting rows on as the relay does; false when none is left. What follows from kyc is not of interest here. */
async function handOver(): Promise<boolean> {
  const { done } = await atomically(engine, engineCaller, (trx) =>
    handOverWorkflowRows(trx, async ({ workflow, workflowId: id, input }) => {
      if (workflow !== 'user-import') return 'DONE';
      await startFromOutbox(temporal, { workflow, id, input } as WorkflowStart, {
        owner: programme,
        verificationTimings: { providerPollMs: 1, providerLimitMs: 1 },
      });
      return 'DONE';
    }),
  );
  return done > 0;
}

const activities = () => createUserImportActivities({ db: engine, vault, documents });

const result = (importId: string): Promise<unknown> =>
  temporal.client.workflow.getHandle(`user-import:${importId}`).result();

const run = (content: string, mode?: ImportMode, dryRun?: boolean) =>
  temporal.withWorker(activities(), async () => {
    const importId = await receive(content, mode, dryRun);
    return { importId, result: await result(importId) };
  });

const customers = async (): Promise<number> => {
  const { count } = await owner
    .selectFrom('customers')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('programme_id', '=', programme.programmeId)
    .executeTakeFirstOrThrow();
  return count;
};

const COUNTS = { created: 0, updated: 0, skipped: 0, failed: 0 };

describe('user-import', () => {
  it('imports what is right, reports what is wrong with its reason, and leaves no doubles when repeated', async () => {
    const wrong = MANY / 100;
    const rows = Array.from({ length: MANY }, (_none, at) =>
      at % 100 === 50 ? row({ birthDate: '1990-02-30' }) : row(),
    );
    const before = await customers();
    const startedMs = Date.now();
    const first = await run(csv(rows));
    console.info(`${MANY} rows in ${Date.now() - startedMs} ms`);
    expect(first.result).toEqual({ state: 'DONE', ...COUNTS, created: MANY - wrong, failed: wrong });
    expect(await customers()).toBe(before + MANY - wrong);
    const failed = await listRows(owner, first.importId, { status: 'FAILED' });
    expect(failed).toEqual(
      Array.from({ length: wrong }, (_none, at) => ({
        row: at * 100 + 51,
        status: 'FAILED',
        customerId: null,
        title: 'VALIDATION_ERROR',
        field: 'birthDate',
      })),
    );
    const again = await run(csv(rows));
    expect(again.result).toEqual({ state: 'DONE', ...COUNTS, skipped: MANY - wrong, failed: wrong });
    expect(await customers()).toBe(before + MANY - wrong);
  }, 600_000);

  it.each<[string, Record<string, string>, string, string]>([
    ['a phone with letters', { phone: 'x' }, 'VALIDATION_ERROR', 'phone'],
    ['no last name', { lastName: '' }, 'VALIDATION_ERROR', 'lastName'],
    ['a child', { birthDate: '2020-01-01' }, 'UNDERAGE', 'birthDate'],
    ['an unknown kyc', { kyc: 'MAYBE' }, 'VALIDATION_ERROR', 'kyc'],
  ])('refuses %s', async (_what, changes, title, field) => {
    const { importId } = await run(csv([row(changes), row()]));
    expect(await listRows(owner, importId, {})).toEqual([
      { row: 1, status: 'FAILED', customerId: null, title, field },
      { row: 2, status: 'CREATED', customerId: expect.any(Number), title: null, field: null },
    ]);
  });

  it('refuses the phone, e-mail and externalId of other users', async () => {
    const known = row();
    const [, , phone, email, , externalId] = known;
    await run(csv([known]));
    const { importId } = await run(
      csv([row({ phone: phone ?? '' }), row({ email: email ?? '' }), row({ externalId: externalId ?? '' })]),
    );
    expect((await listRows(owner, importId, {})).map(({ title, field }) => [title, field])).toEqual([
      ['PHONE_ALREADY_REGISTERED', 'phone'],
      ['EMAIL_ALREADY_REGISTERED', 'email'],
      ['EXTERNAL_ID_ALREADY_USED', 'externalId'],
    ]);
  });

  it('refuses kyc where the platform verifies', async () => {
    const external = programme;
    programme = await aProgramme(owner);
    const { importId } = await run(csv([row(), row({ kyc: '' })]));
    expect((await listRows(owner, importId, {})).map(({ status, title }) => [status, title])).toEqual([
      ['FAILED', 'EXTERNAL_KYC_NOT_ALLOWED'],
      ['CREATED', null],
    ]);
    programme = external;
  });

  it('UPSERT creates, updates and skips by externalId', async () => {
    const [same, changed, fresh] = [row(), row(), row()];
    await run(csv([same, changed]));
    const renamed = changed.with(1, 'Kowal');
    const { importId } = await run(csv([same, renamed, fresh, row({ externalId: '' })]), 'UPSERT');
    const rows = await listRows(owner, importId, {});
    expect(rows.map(({ status, field }) => [status, field])).toEqual([
      ['SKIPPED', null],
      ['UPDATED', null],
      ['CREATED', null],
      ['FAILED', 'externalId'],
    ]);
  });

  it('takes the home with the person, and a semicolon for a comma', async () => {
    const header = [...HEADER, 'street', 'number', 'apartment', 'city', 'postCode', 'country'];
    const cells = [...row(), 'Polna', '1', '', 'Lublin', '20-128', 'pl'];
    const lost = [...row(), 'Polna', '', '', '', '', ''];
    const content = csv([cells, lost], header).replaceAll(',', ';');
    const { importId } = await run(content);
    const [first, second] = await listRows(owner, importId, {});
    expect([first?.status, second?.status, second?.field]).toEqual(['CREATED', 'FAILED', 'number']);
    const addresses = await atomically(engine, engineCaller, async (trx) =>
      listAddresses(trx, await readCustomer(trx, 'every', first?.customerId ?? 0)),
    );
    expect(addresses.map(({ type }) => type)).toEqual(['RESIDENCE']);
  });

  it('changes nothing in a dry run, and says what it would have done', async () => {
    const before = await customers();
    const { result: counts, importId } = await run(csv([row(), row({ phone: 'x' })]), 'CREATE', true);
    expect(counts).toEqual({ state: 'DONE', ...COUNTS, created: 1, failed: 1 });
    expect((await listRows(owner, importId, {})).map(({ customerId }) => customerId)).toEqual([null, null]);
    expect(await customers()).toBe(before);
  });

  it.each([
    ['nothing of a header', '\u0000'],
    ['an unknown column', csv([row()], [...HEADER.slice(0, 6), 'shoeSize'])],
    ['a quote that does not end', `${csv([row()])}\n"`],
  ])('ends FAILED with %s', async (_what, content) => {
    expect((await run(content)).result).toEqual({ state: 'FAILED', ...COUNTS });
  });

  it('works the rows in the order of the file: the last word on a user is the lowest', async () => {
    const twice = Array.from({ length: 6 }, () => row());
    const rows = twice.flatMap((one) => [one, one.with(1, 'Kowal'), one.with(1, 'Lis')]);
    const { importId } = await run(csv(rows), 'UPSERT');
    const statuses = (await listRows(owner, importId, {})).map((one) => one.status);
    expect(statuses).toEqual(twice.flatMap(() => ['CREATED', 'UPDATED', 'UPDATED']));
  });

  it('UPSERT updates a user whom somebody else has added since it looked', async () => {
    const mine = row();
    const { importId } = await temporal.withWorker(activities(), async () => {
      let id = '';
      await owner.transaction().execute(async (trx) => {
        const { programmeId, partnerId } = programme;
        await sql`select set_config('app.partner', ${String(partnerId)}, true)`.execute(trx);
        const subjectId = randomUUID();
        const key = newSubjectKey(vault, { subjectId, partnerId });
        await trx
          .insertInto('subject_keys')
          .values({
            subject_id: subjectId,
            partner_id: partnerId,
            wrapped: key.wrapped,
            kek_version: key.kekVersion,
          })
          .execute();
        await trx
          .insertInto('customers')
          .values({
            subject_id: subjectId,
            partner_id: partnerId,
            programme_id: programmeId,
            personal: sealPersonal(vault, key, personalPlace(subjectId), {
              firstName: 'Zoe',
              lastName: 'Old',
            }),
            phone_index: randomBytes(32),
            email_index: randomBytes(32),
            external_id: mine[5] ?? '',
            state: 'UNVERIFIED',
            kyc: 'NOT_STARTED',
          })
          .execute();
        id = await receive(csv([mine]), 'UPSERT');
        // The import now waits for this transaction at the index of external ids.
        await vi.waitFor(
          async () => {
            const { rows } =
              await sql`select 1 from pg_locks where not granted and locktype = 'transactionid'`.execute(
                owner,
              );
            expect(rows.length).toBeGreaterThan(0);
          },
          { timeout: 20_000, interval: 50 },
        );
      });
      return { importId: id, result: await result(id) };
    });
    expect((await listRows(owner, importId, {})).map(({ status, title }) => [status, title])).toEqual([
      ['UPDATED', null],
    ]);
  });

  it('fails a line with a cell too many or too few, and takes the others in', async () => {
    const { importId, result: counts } = await run(
      `${csv([row()])},more\na,b\n${csv([row()]).split('\n')[1]}`,
    );
    expect(counts).toEqual({ state: 'DONE', ...COUNTS, created: 1, failed: 2 });
    expect(
      (await listRows(owner, importId, {})).map(({ status, title, field }) => [status, title, field]),
    ).toEqual([
      ['FAILED', 'VALIDATION_ERROR', null],
      ['FAILED', 'VALIDATION_ERROR', null],
      ['CREATED', null, null],
    ]);
  });

  it.each<ImportMode>(['CREATE', 'UPSERT'])(
    'a dry run in %s finds what the real run finds of rows that contradict each other',
    async (mode) => {
      const [one, two, three] = [row(), row(), row()];
      const content = csv([
        one,
        one,
        one.with(1, 'Kowal'),
        row({ phone: one[2] ?? '' }),
        row({ email: two[3] ?? '' }),
        two,
        three,
        row({ externalId: three[5] ?? '' }),
        row({ phone: three[2] ?? '' }),
        row({ birthDate: '2020-01-01' }),
        ...Array.from({ length: 195 }, () => row()),
        three,
      ]);
      const dry = await run(content, mode, true);
      const real = await run(content, mode);
      expect(dry.result).toEqual(real.result);
      const shown = async (importId: string) =>
        (await listRows(owner, importId, {})).map(({ row: no, status, title }) => [no, status, title]);
      expect(await shown(dry.importId)).toEqual(await shown(real.importId));
      expect(await owner.selectFrom('user_import_keys').selectAll().execute()).toEqual([]);
    },
  );

  it('goes on after a worker that broke off, each row once', async () => {
    const content = csv(Array.from({ length: 450 }, () => row()));
    const before = await customers();
    let rows = 0;
    const broken = new Proxy(vault, {
      get(target, name) {
        // Opening the keys is part of each row: the 250th breaks.
        if (name === 'personalDataIndex' && (rows += 1) === 500) throw new Error('broke off');
        return Reflect.get(target, name) as unknown;
      },
    });
    const importId = await temporal.withWorker(
      createUserImportActivities({ db: engine, vault: broken, documents }),
      async () => {
        const id = await receive(content);
        expect(await result(id)).toEqual({ state: 'DONE', ...COUNTS, created: 450 });
        return id;
      },
    );
    expect(rows).toBeGreaterThan(500);
    expect(await customers()).toBe(before + 450);
    expect(await countRows(owner, importId)).toEqual({ ...COUNTS, created: 450 });
  });

  it('stops when it is cancelled; rows that are done stay, and the rest is gone', async () => {
    const importId = await receive(csv(Array.from({ length: 5 }, () => row())));
    await atomically(engine, partnerCaller(programme.partnerId), (trx) =>
      cancelImport(trx, [programme.programmeId], importId),
    );
    const before = await customers();
    await temporal.withWorker(activities(), async () => {
      expect(await result(importId)).toEqual({ state: 'CANCELLED', ...COUNTS });
    });
    expect(await customers()).toBe(before);
    expect(await readImport(owner, 'every', importId)).toMatchObject({ state: 'CANCELLED', rows: 5 });
    await expect(
      atomically(engine, partnerCaller(programme.partnerId), (trx) =>
        cancelImport(trx, [programme.programmeId], importId),
      ),
    ).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await expect(
      atomically(engine, engineCaller, (trx) => cancelImport(trx, [programme.programmeId], randomUUID())),
    ).rejects.toMatchObject({ code: 'IMPORT_NOT_FOUND' });
    const chunks = await owner.selectFrom('user_import_chunks').selectAll().execute();
    expect(chunks).toEqual([]);
  });
});
