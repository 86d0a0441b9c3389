import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createVerificationActivities } from '../../activities/database/verifications.ts';
import type { Command } from '../../cli/command.ts';
import { CommandFailed } from '../../cli/exit-code.ts';
import { decideVerificationCommand } from '../../cli/operate/decide-verification.ts';
import { verificationsCommand } from '../../cli/operate/verifications.ts';
import { atomically } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { newIdAt } from '../../db/ids.ts';
import type { Programme } from '../../db/partners.ts';
import { readVerification, submitVerification } from '../../db/verifications.ts';
import type { VerificationForm } from '../../domain/verification.ts';
import type { customerVerification } from '../../workflows/customer-verification.ts';
import { recordingIo } from '../cli/io.ts';
import { aCustomer, aForm, aProgramme, aSubmission, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { TEST_PAYLOAD_KEYS } from '../support/temporal.ts';
import { testVault } from '../support/vault.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

const vault = testVault();
const payloadKeys = JSON.stringify({
  current: TEST_PAYLOAD_KEYS.current,
  keys: Object.fromEntries(
    [...TEST_PAYLOAD_KEYS.keys].map(([id, key]) => [id, Buffer.from(key).toString('base64')]),
  ),
});
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let worker: RunningWorker;
let manual: Programme;
let folder: string;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  folder = mkdtempSync(join(tmpdir(), 'cardloom-cli-'));
  manual = await aProgramme(owner);
  worker = await startWorkflowWorker(createVerificationActivities({ db: engine, vault }));
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command as a person would, and gives its exit code and what it wrote. */
async function run(command: Command, args: readonly string[], changes: Record<string, string> = {}) {
  const io = recordingIo(
    {
      DATABASE_URL: fresh.appUrl,
      DATABASE_ENGINE_URL: fresh.engineUrl,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: inject('temporalNamespace'),
      TEMPORAL_PAYLOAD_KEYS: payloadKeys,
      CARDLOOM_DATA_DIR: join(folder, 'data'),
      ...changes,
    },
    folder,
  );
  try {
    return { code: await command.run(args, io), said: io.printed.join('\n') };
  } catch (error) {
    if (error instanceof CommandFailed) return { code: error.code, said: error.message };
    throw error;
  }
}

async function aCaseInReview(form?: VerificationForm): Promise<string> {
  const customer = await aCustomer(engine, vault, manual);
  const verificationId = newIdAt(new Date());
  await atomically(engine, engineCaller, (trx) =>
    submitVerification(trx, manual, customer, aSubmission(vault, customer, verificationId, form)),
  );
  await worker.client.workflow.start<typeof customerVerification>('customerVerification', {
    taskQueue: worker.taskQueue,
    workflowId: `customer-verification:${verificationId}`,
    args: [
      {
        verificationId,
        customerId: customer.customerId,
        timings: { providerPollMs: 1_000, providerLimitMs: 1_000 },
      },
    ],
  });
  await vi.waitFor(async () => expect((await stored(verificationId)).stage).toBe('REVIEW'), {
    timeout: 15_000,
  });
  return verificationId;
}

const stored = (verificationId: string) =>
  atomically(engine, engineCaller, (trx) => readVerification(trx, 'every', { verificationId }));

describe('cardloom verifications', () => {
  it('lists what waits for a person, without personal data', async () => {
    const verificationId = await aCaseInReview();
    const { code, said } = await run(verificationsCommand, []);
    expect(code).toBe(0);
    expect(said).toContain(verificationId);
    expect(said).not.toContain('Kowal');
    await run(decideVerificationCommand, [verificationId, '--accept']);
    expect((await run(verificationsCommand, [])).said).not.toContain(verificationId);
  });
});

describe('cardloom decide-verification', () => {
  it('accepts, and the audit trail names who typed it', async () => {
    const verificationId = await aCaseInReview();
    const { code, said } = await run(decideVerificationCommand, [
      verificationId,
      '--accept',
      '--operator',
      'ada',
    ]);
    expect([code, said]).toEqual([0, `verification ${verificationId} is ACCEPTED`]);
    expect(await stored(verificationId)).toMatchObject({ status: 'ACCEPTED', stage: 'CLOSED' });
    const audit = await owner
      .selectFrom('audit_log')
      .select(['actor_type', 'actor_id'])
      .where('object_id', '=', verificationId)
      .where('action', '=', 'verification.decided')
      .execute();
    expect(audit).toEqual([{ actor_type: 'CLI', actor_id: expect.stringMatching(/ for ada$/) }]);
  });

  it('rejects with a reason in any case, and a second decision comes too late', async () => {
    const verificationId = await aCaseInReview();
    const args = [verificationId.toUpperCase(), '--reject', 'invalid_selfie', '--note', 'two people'];
    expect((await run(decideVerificationCommand, args)).code).toBe(0);
    expect(await stored(verificationId)).toMatchObject({ status: 'REJECTED', reason: 'INVALID_SELFIE' });
    const again = await run(decideVerificationCommand, [verificationId, '--accept']);
    expect(again.code).toBe(1);
    expect(again.said).toContain('STATE_CONFLICT');
  });

  it('does not accept an old document', async () => {
    const verificationId = await aCaseInReview(aForm({ documentExpirationDate: '2001-01-01' }));
    const { code, said } = await run(decideVerificationCommand, [verificationId, '--accept']);
    expect(code).toBe(1);
    expect(said).toContain('DOCUMENT_EXPIRED');
    expect(
      (await run(decideVerificationCommand, [verificationId, '--reject', 'INVALID_DOCUMENT_PHOTO'])).code,
    ).toBe(0);
  });

  it('says that there is no such case', async () => {
    const { code, said } = await run(decideVerificationCommand, [randomUUID(), '--accept']);
    expect(code).toBe(1);
    expect(said).toContain('VERIFICATION_NOT_FOUND');
  });

  it('asks to try again while Temporal is away', async () => {
    const verificationId = await aCaseInReview();
    const { code } = await run(decideVerificationCommand, [verificationId, '--accept'], {
      TEMPORAL_ADDRESS: '127.0.0.1:9',
    });
    expect(code).toBe(75);
    expect((await run(decideVerificationCommand, [verificationId, '--accept'])).code).toBe(0);
  });

  it.each([
    ['no case', ['--accept']],
    ['no id', ['not-an-id', '--accept']],
    ['no decision', [randomUUID()]],
    ['two decisions', [randomUUID(), '--accept', '--reject', 'INVALID_SELFIE']],
    ['no reason', [randomUUID(), '--reject']],
    ['an unknown reason', [randomUUID(), '--reject', 'UGLY']],
    ['an unknown option', [randomUUID(), '--accept', '--force', 'yes']],
  ])('tells its usage for %s', async (_name, args) => {
    expect((await run(decideVerificationCommand, args)).code).toBe(64);
  });
});
