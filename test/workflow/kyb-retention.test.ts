import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRetentionActivities } from '../../activities/database/retention.ts';
import { kybAnswer } from '../../api/kyb/answer.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import type { Corporation } from '../../db/corporations.ts';
import type { Database } from '../../db/database.ts';
import { type KybApplication, readKybApplication } from '../../db/kyb-applications.ts';
import { openDocumentStore } from '../../vault/document-store.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { retention } from '../../workflows/retention.ts';
import { aCorporation } from '../support/corporations.ts';
import { aProgramme, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { aDraft, fillDraft, type KybWorld } from '../support/kyb-rows.ts';
import { testVault } from '../support/vault.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

const vault = testVault();
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let worker: RunningWorker;
let world: KybWorld & { readonly documents: ReturnType<typeof openDocumentStore> };
let folder: string;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  folder = mkdtempSync(join(tmpdir(), 'cardloom-documents-'));
  const documents = openDocumentStore(`file:${folder}`);
  const programme = await aProgramme(owner, { kyc_mode: 'MANUAL', external_kyc: true });
  world = { engine, vault, documents, programme };
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
const yearsAgo = (years: number): Date => new Date(Date.now() - years * 366 * 86_400_000);
const run = () =>
  worker.client.workflow.execute<typeof retention>('retention', {
    taskQueue: worker.taskQueue,
    workflowId: `retention:${randomUUID()}`,
  });

/** An application that was filled and decided some years ago. */
async function decided(
  status: 'ACCEPTED' | 'REJECTED' | 'EXPIRED',
  decidedAt: Date,
): Promise<KybApplication> {
  const application = await aDraft(world);
  await fillDraft(world, application);
  await owner
    .updateTable('kyb_applications')
    .set({ status, decided_at: decidedAt })
    .where('application_id', '=', application.applicationId)
    .execute();
  return application;
}

async function left({ applicationId }: KybApplication) {
  const answer = await asEngine(async (trx) =>
    kybAnswer(trx, vault, await readKybApplication(trx, 'every', applicationId)),
  );
  return {
    status: answer.status,
    documents: answer.documents.length,
    filled: answer.sections.filter((one) => one.content !== null).length,
  };
}

const SHREDDED = { documents: 0, filled: 0 };
const WHOLE = { documents: 4, filled: 4 };

/** A corporation made of an application, deleted at some time, or living. */
async function aCorporationOf(application: KybApplication, deletedAt: Date | null): Promise<Corporation> {
  const corporation = await aCorporation(engine, vault, world.programme, {
    kybApplicationId: application.applicationId,
    kyb: 'SUCCESS',
  });
  if (deletedAt !== null) {
    await owner
      .updateTable('corporations')
      .set({ state: 'DELETED', updated_at: deletedAt })
      .where('corporation_id', '=', corporation.corporationId)
      .execute();
  }
  return corporation;
}

describe('applications of companies', () => {
  it('that came to nothing are shredded after 12 months, files and key with them', async () => {
    const [old, recent] = [await decided('REJECTED', yearsAgo(2)), await decided('REJECTED', new Date())];
    const expired = await decided('EXPIRED', yearsAgo(2));
    const sealed = await owner
      .selectFrom('kyb_sections')
      .select('content')
      .where('application_id', '=', old.applicationId)
      .where('section', '=', 'ENTITY')
      .executeTakeFirstOrThrow();
    const files = await filesOf(old);
    expect(files.map(isThere)).toEqual([true, true, true, true]);
    expect((await run()).applications).toBe(2);
    expect(await left(old)).toEqual({ status: 'REJECTED', ...SHREDDED });
    expect(await left(expired)).toEqual({ status: 'EXPIRED', ...SHREDDED });
    expect(await left(recent)).toEqual({ status: 'REJECTED', ...WHOLE });
    expect(files.map(isThere)).toEqual([false, false, false, false]);
    const { subjectKey } = await asEngine((trx) => readKybApplication(trx, 'every', old.applicationId));
    const place = { table: 'kyb_sections', rowId: `${old.applicationId}:ENTITY`, field: 'content' };
    expect(() => openPersonal(vault, subjectKey, place, sealed.content ?? Buffer.alloc(0))).toThrow();
    expect((await run()).applications).toBe(0);
    const audited = await owner
      .selectFrom('audit_log')
      .select('action')
      .where('object_id', '=', old.applicationId)
      .where('action', '=', 'kyb.shredded')
      .execute();
    expect(audited).toHaveLength(1);
  });

  it("that were accepted are kept for as long as the company, and the programme's years after it", async () => {
    const waiting = await decided('ACCEPTED', yearsAgo(9));
    const living = await decided('ACCEPTED', yearsAgo(9));
    const left3 = await decided('ACCEPTED', yearsAgo(9));
    const left6 = await decided('ACCEPTED', yearsAgo(9));
    await aCorporationOf(living, null);
    await aCorporationOf(left3, yearsAgo(3));
    await aCorporationOf(left6, yearsAgo(6));
    expect((await run()).applications).toBe(1);
    for (const one of [waiting, living, left3]) expect(await left(one)).toMatchObject(WHOLE);
    expect(await left(left6)).toEqual({ status: 'ACCEPTED', ...SHREDDED });
  });
});

const filesOf = async ({ applicationId }: KybApplication): Promise<string[]> =>
  (
    await owner
      .selectFrom('kyb_documents')
      .select('store_key')
      .where('application_id', '=', applicationId)
      .execute()
  ).map((row) => row.store_key);

const isThere = (file: string): boolean =>
  existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => String(name).endsWith(file));
