import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRetentionActivities } from '../../activities/database/retention.ts';
import { atomically, newId, type Trx } from '../../db/atomically.ts';
import { type Customer, newSubjectId } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import { claimKey, completeKey } from '../../db/idempotency-keys.ts';
import type { Programme } from '../../db/partners.ts';
import { createImport, finishImport } from '../../db/user-imports.ts';
import { submitVerification } from '../../db/verifications.ts';
import { openDocumentStore, putDocument } from '../../vault/document-store.ts';
import { newSubjectKey } from '../../vault/personal-data.ts';
import type { Deleted, retention } from '../../workflows/retention.ts';
import {
  aCustomer,
  aProgramme,
  aSubmission,
  connect,
  engineCaller,
  partnerCaller,
} from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { testVault } from '../support/vault.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

const vault = testVault();
const folder = mkdtempSync(join(tmpdir(), 'cardloom-retention-'));
const documents = openDocumentStore(`file:${folder}`);
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let worker: RunningWorker;
let programme: Programme;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  programme = await aProgramme(owner, { external_kyc: true });
  worker = await startWorkflowWorker(
    createRetentionActivities({ db: engine, documents, idempotencyHours: 720 }),
  );
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
  rmSync(folder, { recursive: true, force: true });
});

const asEngine = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(engine, engineCaller, work);

/** Moves the clock of the database on. */
const pass = async (time: string): Promise<void> => {
  await sql`insert into clock_offset (offset_by) values (${time}::interval)
    on conflict (only_row) do update set offset_by = clock_offset.offset_by + excluded.offset_by`.execute(
    owner,
  );
  await sql`select create_partitions()`.execute(owner);
};

const run = (): Promise<Deleted> =>
  worker.client.workflow.execute<typeof retention>('retention', {
    taskQueue: worker.taskQueue,
    workflowId: `retention:${randomUUID()}`,
  });

const NOTHING: Deleted = {
  importFiles: 0,
  verifications: 0,
  applications: 0,
  deliveryBodies: 0,
  idempotencyKeys: 0,
};

/** Keys of what lies in the document store. */
const stored = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split('/').at(-1) ?? '')
    .filter((name) => name.length === 32);

const aSubjectKey = (trx: Trx) =>
  newSubjectKey(vault, { subjectId: newSubjectId(trx), partnerId: programme.partnerId });

async function anImport(): Promise<{ importId: string; key: string }> {
  return await atomically(engine, partnerCaller(programme.partnerId), async (trx) => {
    const subjectKey = aSubjectKey(trx);
    const file = await putDocument(vault, documents, { subjectKey, content: Buffer.from('a,b') });
    const { import_id: importId } = await createImport(trx, programme, {
      subjectKey,
      mode: 'CREATE',
      dryRun: false,
      file,
    });
    return { importId, key: file.key };
  });
}

/** A form with one picture, decided at once; its picture's key. */
async function aVerification(customer: Customer, status: 'ACCEPTED' | 'REJECTED'): Promise<string> {
  const { subjectKey } = customer;
  const file = await putDocument(vault, documents, { subjectKey, content: Buffer.from('picture') });
  await asEngine(async (trx) => {
    const verificationId = newId(trx);
    await submitVerification(trx, programme, customer, {
      ...aSubmission(vault, customer, verificationId),
      pictures: [
        {
          kind: 'FACE',
          mediaType: 'image/jpeg',
          bytes: file.bytes,
          sha256: file.sha256,
          storeKey: file.key,
        },
      ],
    });
    await sql`update verifications set status = ${status}, stage = 'CLOSED', decided_at = cardloom_now(),
      reason = ${status === 'REJECTED' ? 'INVALID_SELFIE' : null} where verification_id = ${verificationId}`.execute(
      trx,
    );
  });
  return file.key;
}

const leave = (customer: Customer) =>
  sql`update customers set state = 'DELETED', updated_at = cardloom_now()
    where customer_id = ${customer.customerId}`.execute(owner);

const auditOf = async (objectId: string) =>
  (
    await owner
      .selectFrom('audit_log')
      .select(['action', 'partner_id', 'after'])
      .where('object_id', '=', objectId)
      .orderBy('id', 'desc')
      .limit(1)
      .execute()
  )[0];

describe('the night that deletes', () => {
  it('files of imports, 30 days after they came; one that still runs keeps its file', async () => {
    const [ended, running] = [await anImport(), await anImport()];
    await asEngine((trx) => finishImport(trx, ended.importId, 'DONE'));
    await pass('29 days 23 hours');
    expect(await run()).toEqual(NOTHING);
    await pass('2 hours');
    expect(await run()).toEqual({ ...NOTHING, importFiles: 1 });
    expect(stored()).toEqual([running.key]);
    expect(await auditOf(ended.importId)).toEqual({
      action: 'import.file_deleted',
      partner_id: programme.partnerId,
      after: { files: 1 },
    });
    expect(await run()).toEqual(NOTHING);
    await asEngine((trx) => finishImport(trx, running.importId, 'CANCELLED'));
    expect(await run()).toEqual({ ...NOTHING, importFiles: 1 });
    expect(stored()).toEqual([]);
  });

  it('goes on where it broke off between the file and its row', async () => {
    const { importId, key } = await anImport();
    await asEngine((trx) => finishImport(trx, importId, 'DONE'));
    await pass('31 days');
    rmSync(join(folder, key.slice(0, 2), key));
    expect(await run()).toEqual({ ...NOTHING, importFiles: 1 });
  });

  it('pictures of users: a year after the refusal of who was never accepted, else 5 years after they left', async () => {
    const never = await aCustomer(engine, vault, programme);
    const once = await aCustomer(engine, vault, programme, { kyc: 'SUCCESS' });
    const evidence = await aCustomer(engine, vault, programme);
    const stays = await aCustomer(engine, vault, programme, { kyc: 'SUCCESS' });
    const keys = {
      never: await aVerification(never, 'REJECTED'),
      once: await aVerification(once, 'REJECTED'),
      evidence: await aVerification(evidence, 'ACCEPTED'),
      stays: await aVerification(stays, 'ACCEPTED'),
    };
    await pass('11 months');
    expect(await run()).toEqual(NOTHING);
    await pass('32 days');
    expect(await run()).toEqual({ ...NOTHING, verifications: 1 });
    expect(stored().toSorted()).toEqual([keys.once, keys.evidence, keys.stays].toSorted());

    for (const one of [once, evidence]) await leave(one);
    await sql`update programmes set retention_years = 6 where programme_id = ${programme.programmeId}`.execute(
      owner,
    );
    await pass('5 years 1 day');
    expect(await run()).toEqual(NOTHING);
    await sql`update programmes set retention_years = 5 where programme_id = ${programme.programmeId}`.execute(
      owner,
    );
    expect(await run()).toEqual({ ...NOTHING, verifications: 2 });
    expect(stored()).toEqual([keys.stays]);
    const left = await owner.selectFrom('verification_documents').select('store_key').execute();
    expect(left).toEqual([{ store_key: keys.stays }]);
    await leave(stays);
    await pass('5 years 1 day');
    expect(await run()).toEqual({ ...NOTHING, verifications: 1 });
  });

  it('bodies of deliveries that ended 30 days ago; the rows stay, and what waits keeps its body', async () => {
    const batchId = randomUUID();
    const { partnerId, programmeId } = programme;
    await sql`insert into delivery_batches (batch_id, partner_id, connection_id, class, rows, created_at)
      values (${batchId}, ${partnerId}, 1, 'NOTICE', 2, cardloom_now())`.execute(owner);
    for (const [sequence, status] of [
      [1, 'DELIVERED'],
      [2, 'HELD'],
    ] as const) {
      await sql`insert into deliveries (delivery_id, partner_id, programme_id, connection_id, class, operation, order_key,
          sequence, batch_id, status, body, created_at, finished_at)
        values (${randomUUID()}, ${partnerId}, ${programmeId}, 1, 'NOTICE', 'cardLocked', 'card:1', ${sequence},
          ${batchId}, ${status}, '\\x01', cardloom_now(), ${status === 'DELIVERED' ? sql`cardloom_now()` : null})`.execute(
        owner,
      );
    }
    const bodies = async () =>
      (await owner.selectFrom('deliveries').select(['status', 'body']).orderBy('sequence').execute()).map(
        (one) => [one.status, one.body === null],
      );
    await pass('29 days');
    expect(await run()).toEqual(NOTHING);
    await pass('2 days');
    expect(await run()).toEqual({ ...NOTHING, deliveryBodies: 1 });
    expect(await bodies()).toEqual([
      ['DELIVERED', true],
      ['HELD', false],
    ]);
    expect(await run()).toEqual(NOTHING);
    await sql`update deliveries set status = 'DELIVERED', finished_at = cardloom_now() where status = 'HELD'`.execute(
      owner,
    );
    expect(await run()).toEqual({ ...NOTHING, deliveryBodies: 1 });
    const marked = await owner.selectFrom('delivery_batches').select('bodies_purged').execute();
    expect(marked).toEqual([{ bodies_purged: true }]);
  });

  it('frees idempotency keys after 30 days, but none of a call that still runs', async () => {
    const use = (key: string) => ({
      scope: 'partner:x POST /secure/x',
      key,
      partnerId: programme.partnerId,
      fingerprint: Buffer.from(key),
    });
    await asEngine(async (trx) => {
      await claimKey(trx, use('done'));
      await completeKey(trx, use('done'), { status: 204, body: null, location: null, cardId: null });
      await claimKey(trx, use('running'), new Date(Date.now() + 100 * 365 * 86_400_000));
    });
    const keys = async () =>
      (await owner.selectFrom('idempotency_keys').select('key').execute()).map((one) => one.key);
    await pass('29 days 23 hours');
    expect(await run()).toEqual(NOTHING);
    await pass('2 hours');
    expect(await run()).toEqual({ ...NOTHING, idempotencyKeys: 1 });
    expect(await keys()).toEqual(['running']);
    const again = await asEngine((trx) =>
      claimKey(trx, { ...use('done'), fingerprint: Buffer.from('another') }),
    );
    expect(again).toEqual({ kind: 'first' });
  });
});
