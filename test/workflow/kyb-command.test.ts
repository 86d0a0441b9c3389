import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createCompanyRegistryActivities } from '../../activities/company-registry/companies.ts';
import { createKybActivities } from '../../activities/database/kyb-applications.ts';
import { CommandFailed } from '../../cli/exit-code.ts';
import { kybCommand } from '../../cli/operate/kyb.ts';
import { atomically } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { commentPlace } from '../../db/kyb-applications.ts';
import { kybComments } from '../../db/kyb-reviews.ts';
import { KYB_SECTIONS, kybTimings } from '../../domain/kyb-application.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import { openVault } from '../../vault/vault.ts';
import { type corporationOnboarding, state, submitted } from '../../workflows/corporation-onboarding.ts';
import { recordingIo } from '../cli/io.ts';
import { aProgramme, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { aDraft, fillDraft, type KybWorld, storedKyb, submitDraft } from '../support/kyb-rows.ts';
import { TEST_PAYLOAD_KEYS } from '../support/temporal.ts';
import { testKeySources } from '../support/vault.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const payloadKeys = JSON.stringify({
  current: TEST_PAYLOAD_KEYS.current,
  keys: Object.fromEntries([...TEST_PAYLOAD_KEYS.keys].map(([id, key]) => [id, base64(key)])),
});
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let worker: RunningWorker;
let world: KybWorld;
let folder: string;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  folder = mkdtempSync(join(tmpdir(), 'cardloom-kyb-'));
  const vault = await openVault(engine, testKeySources());
  world = { engine, vault, programme: await aProgramme(owner) };
  worker = await startWorkflowWorker({
    ...createKybActivities({ db: engine, vault }),
    ...createCompanyRegistryActivities({ db: engine, vault, companyRegistry: null }),
  });
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `cardloom kyb` as a person would, and gives its exit code and what it wrote. */
async function kyb(...args: string[]) {
  const io = recordingIo(
    {
      DATABASE_URL: fresh.appUrl,
      DATABASE_ENGINE_URL: fresh.engineUrl,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: inject('temporalNamespace'),
      TEMPORAL_PAYLOAD_KEYS: payloadKeys,
      CARDLOOM_DATA_DIR: join(folder, 'data'),
      KEK_PROVIDER: 'components',
      KEK_COMPONENT_1: base64(testKeySources().kek.keys.get(1)?.export() ?? Buffer.alloc(0)),
      KEK_COMPONENT_2: base64(Buffer.alloc(32)),
    },
    folder,
  );
  try {
    return { code: await kybCommand.run(args, io), said: io.printed.join('\n') };
  } catch (error) {
    if (error instanceof CommandFailed) return { code: error.code, said: error.message };
    throw error;
  }
}

async function aCase(): Promise<string> {
  const application = await aDraft(world);
  const { applicationId } = application;
  await fillDraft(world, application);
  const handle = await worker.client.workflow.start<typeof corporationOnboarding>('corporationOnboarding', {
    taskQueue: worker.taskQueue,
    workflowId: `corporation-onboarding:${applicationId}`,
    args: [{ applicationId, timings: kybTimings() }],
  });
  const { round } = await submitDraft(world, application);
  await handle.signal(submitted, { round });
  await vi.waitFor(async () => expect((await handle.query(state)).status).toBe('SUBMITTED'), {
    timeout: 10_000,
  });
  // The first section can be reviewed once screening is over.
  await vi.waitFor(
    async () => {
      const mails = await owner
        .selectFrom('kyb_mails')
        .select('mail_key')
        .where('application_id', '=', applicationId)
        .execute();
      expect(mails).toHaveLength(2);
    },
    { timeout: 10_000 },
  );
  return applicationId;
}

const statusOf = async (applicationId: string) => (await storedKyb(world, applicationId)).status;

describe('cardloom kyb', () => {
  it('lists, finds by name and status, and takes a case to its acceptance', async () => {
    const id = await aCase();
    expect((await kyb()).said).toContain(id);
    expect((await kyb('--status', 'submitted', '--q', 'polna w')).said).toContain(id);
    expect((await kyb('--q', 'nobody')).said).toBe('no application');
    expect((await kyb('claim', id, '--operator', 'ada')).code).toBe(0);
    const other = await kyb('claim', id, '--operator', 'leon');
    expect([other.code, other.said]).toEqual([1, expect.stringContaining('CLAIMED_BY_OTHER')]);
    expect((await kyb('release', id, '--operator', 'ada')).code).toBe(0);
    expect((await kyb('accept', id)).said).toContain('STATE_CONFLICT');
    for (const section of KYB_SECTIONS) {
      const answer = await kyb('review', id, '--section', section, '--result', 'verified');
      expect(answer).toEqual({ code: 0, said: `application ${id} is IN_REVIEW` });
    }
    expect((await kyb('accept', id, '--note', 'clean')).said).toBe(`application ${id} is ACCEPTED`);
    expect(await statusOf(id)).toBe('ACCEPTED');
    expect((await kyb('reject', id, '--reason', 'late')).said).toContain('STATE_CONFLICT');
  });

  it('sends back, holds, resumes and rejects', async () => {
    const id = await aCase();
    const mark = ['review', id, '--section', 'ENTITY', '--result', 'NEEDS_CORRECTION'];
    expect((await kyb(...mark)).said).toContain('VALIDATION_ERROR');
    expect((await kyb(...mark, '--comment', 'Which name?')).code).toBe(0);
    expect((await kyb('hold', id, '--reason', 'asked the registry')).said).toContain('ON_HOLD');
    expect((await kyb('resume', id)).said).toContain('IN_REVIEW');
    expect((await kyb('request-correction', id)).said).toContain('NEEDS_CORRECTION');
    expect((await kyb('reject', id, '--reason', 'withdrawn')).said).toContain('REJECTED');
    expect(await statusOf(id)).toBe('REJECTED');
  });

  it('writes to the applicant: sealed, and mailed', async () => {
    const id = await aCase();
    expect((await kyb('comment', id, '--text', 'Ask Zofia', '--section', 'contact')).code).toBe(0);
    const { subjectKey } = await storedKyb(world, id);
    const [comment] = await atomically(engine, engineCaller, (trx) => kybComments(trx, id));
    expect(comment).toMatchObject({ section: 'CONTACT' });
    const { commentId, text } = comment as NonNullable<typeof comment>;
    expect(text.includes('Zofia')).toBe(false);
    expect(openPersonal(world.vault, subjectKey, commentPlace(commentId), text)).toBe('Ask Zofia');
  });

  it.each([
    ['no case', ['claim']],
    ['no id', ['accept', 'not-an-id']],
    ['an unknown verb', ['applaud', randomUUID()]],
    ['no section', ['review', randomUUID(), '--result', 'VERIFIED']],
    ['an unknown result', ['review', randomUUID(), '--section', 'ENTITY', '--result', 'FINE']],
    ['no reason', ['reject', randomUUID()]],
    ['an unknown status', ['--status', 'GONE']],
  ])('tells its usage for %s', async (_name, args) => {
    expect((await kyb(...args)).code).toBe(64);
  });

  it('says that there is no such application', async () => {
    const { code, said } = await kyb('accept', randomUUID());
    expect([code, said]).toEqual([1, expect.stringContaining('APPLICATION_NOT_FOUND')]);
  });
});
