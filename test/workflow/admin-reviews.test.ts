import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createCompanyRegistryActivities } from '../../activities/company-registry/companies.ts';
import { createKybActivities } from '../../activities/database/kyb-applications.ts';
import { createVerificationActivities } from '../../activities/database/verifications.ts';
import { KYB_SECTIONS, kybTimings } from '../../domain/kyb-application.ts';
import { verificationTimings } from '../../domain/verification.ts';
import type { corporationOnboarding } from '../../workflows/corporation-onboarding.ts';
import type { customerVerification } from '../../workflows/customer-verification.ts';
import { aHit } from '../support/admin-samples.ts';
import { aCustomer } from '../support/builders.ts';
import { type ApiHarness, startApi } from '../support/harness.ts';
import { aServerKyb, atDoor, fillKyb } from '../support/kyb.ts';
import { adminCall, anOperator, type TestOperator } from '../support/operators.ts';
import { aJpeg } from '../support/pictures.ts';
import { verificationForm } from '../support/route-samples.ts';
import { connectTemporal, type TestTemporal } from '../support/temporal.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

let temporal: TestTemporal;
let api: ApiHarness;
let worker: RunningWorker;
let admin: TestOperator;
let manager: TestOperator;

beforeAll(async () => {
  temporal = await connectTemporal(inject('temporalAddress'), inject('temporalNamespace'));
  api = await startApi({ workflows: { client: temporal.client } });
  const { engine } = api.services;
  worker = await startWorkflowWorker({
    ...createVerificationActivities({ db: engine, vault: api.vault }),
    ...createKybActivities({ db: engine, vault: api.vault }),
    ...createCompanyRegistryActivities({ db: engine, vault: api.vault, companyRegistry: null }),
  });
  await setMode({ kyc_mode: 'MANUAL' });
  admin = await anOperator(api, { role: 'Admin', partner: 'demo' });
  manager = await anOperator(api, { role: 'Manager', partner: 'demo' });
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
  await temporal.close();
});

const setMode = (columns: { kyc_mode?: 'MANUAL'; kyc_review_roles?: ('Admin' | 'Manager')[] }) =>
  api.owner.updateTable('programmes').set(columns).where('issuer_code', '=', 'sandbox').execute();

const send = (method: string, path: string, body?: object, as = admin, key: string = randomUUID()) =>
  adminCall(api, method, `/admin${path}`, as, {
    headers: { 'X-Idempotency-Key': key },
    ...(body === undefined ? {} : { body }),
  });

/** A case that waits for a person. */
async function aCase(): Promise<{ readonly verificationId: string; readonly customerId: number }> {
  const customerId = await aCustomer(api);
  const sent = await adminCall(api, 'POST', `/admin/customers/${customerId}/verifications`, admin, {
    form: verificationForm(await aJpeg()),
  });
  expect(sent.status).toBe(201);
  const { verificationId } = sent.body;
  await worker.client.workflow.start<typeof customerVerification>('customerVerification', {
    taskQueue: worker.taskQueue,
    workflowId: `customer-verification:${verificationId}`,
    args: [{ verificationId, customerId, timings: verificationTimings() }],
  });
  await vi.waitFor(
    async () => {
      const { body } = await send('GET', `/verifications?customerId=${customerId}&stage=REVIEW`);
      expect(body.items).toHaveLength(1);
    },
    { timeout: 20_000 },
  );
  return { verificationId, customerId };
}

describe('applications of companies', () => {
  it('are reviewed section by section, and accepted with a fresh code', async () => {
    const applicationId = await aSubmittedKyb();
    const early = await send('POST', `/kyb/applications/${applicationId}/accept`, {});
    expect([early.status, early.body.title]).toEqual([409, 'STATE_CONFLICT']);
    for (const section of KYB_SECTIONS) {
      const path = `/kyb/applications/${applicationId}/sections/${section}/review`;
      const reviewed = await send('PUT', path, { result: 'VERIFIED' }, manager);
      expect([reviewed.status, reviewed.body.status]).toEqual([200, 'IN_REVIEW']);
    }
    const accepted = await send('POST', `/kyb/applications/${applicationId}/accept`, { note: 'clean' });
    expect(accepted).toMatchObject({
      status: 200,
      body: { status: 'ACCEPTED', note: 'clean', decidedBy: admin.operatorId },
    });
  });

  it('are sent back, held, resumed and rejected', async () => {
    const applicationId = await aSubmittedKyb();
    const path = `/kyb/applications/${applicationId}`;
    const review = (body: object) => send('PUT', `${path}/sections/ENTITY/review`, body, manager);
    expect((await review({ result: 'NEEDS_CORRECTION' })).body.errors).toEqual([
      { field: 'comment', message: 'is required with NEEDS_CORRECTION' },
    ]);
    expect((await review({ result: 'NEEDS_CORRECTION', comment: 'Which name?' })).status).toBe(200);
    const held = await send('POST', `${path}/hold`, { reason: 'asked the registry' }, manager);
    expect([held.body.status, held.body.reason]).toEqual(['ON_HOLD', 'asked the registry']);
    expect((await send('POST', `${path}/resume`, undefined, manager)).body.status).toBe('IN_REVIEW');
    expect((await send('POST', `${path}/request-correction`, undefined, manager)).body.status).toBe(
      'NEEDS_CORRECTION',
    );
    expect((await send('POST', `${path}/reject`, { reason: 'withdrawn' }, manager)).status).toBe(403);
    expect((await send('POST', `${path}/reject`, { reason: 'withdrawn' })).body.status).toBe('REJECTED');
  });
});

/** A company's application that waits for its review, screened. */
async function aSubmittedKyb(): Promise<string> {
  const door = await aServerKyb(api);
  await fillKyb(api, door);
  const { applicationId } = door;
  await worker.client.workflow.start<typeof corporationOnboarding>('corporationOnboarding', {
    taskQueue: worker.taskQueue,
    workflowId: `corporation-onboarding:${applicationId}`,
    args: [{ applicationId, timings: kybTimings() }],
  });
  expect((await atDoor(api, door, 'POST', '/submit')).status).toBe(202);
  // The relay is not here to tell the workflow.
  await worker.client.workflow
    .getHandle(`corporation-onboarding:${applicationId}`)
    .signal('submitted', { round: 1 });
  await vi.waitFor(
    async () => {
      const mails = await api.owner
        .selectFrom('kyb_mails')
        .select('mail_key')
        .where('application_id', '=', applicationId)
        .execute();
      expect(mails).toHaveLength(2);
    },
    { timeout: 20_000 },
  );
  return applicationId;
}

describe('verifications', () => {
  it('are accepted in the name of the operator; a repeat with the same key is told the same', async () => {
    const { verificationId, customerId } = await aCase();
    const key = randomUUID();
    const path = `/verifications/${verificationId}/accept`;
    const accepted = await send('POST', path, { note: 'clean' }, admin, key);
    expect(accepted).toMatchObject({
      status: 200,
      body: { status: 'ACCEPTED', stage: 'CLOSED', firstName: 'Ada', userId: customerId },
    });
    const again = await send('POST', path, { note: 'clean' }, admin, key);
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([
      200,
      accepted.body,
      'true',
    ]);
    const late = await send('POST', `/verifications/${verificationId}/reject`, { reason: 'INVALID_SELFIE' });
    expect([late.status, late.body.title]).toEqual([409, 'STATE_CONFLICT']);
    const decided = await api.owner
      .selectFrom('audit_log')
      .select(['actor_type', 'actor_id'])
      .where('object_id', '=', verificationId)
      .where('action', '=', 'verification.decided')
      .execute();
    expect(decided).toEqual([{ actor_type: 'OPERATOR', actor_id: admin.operatorId }]);
  });

  it('learn what came of a decision whose answer was lost', async () => {
    const { verificationId } = await aCase();
    const key = randomUUID();
    const path = `/verifications/${verificationId}/reject`;
    const body = { reason: 'BLURRED_SELFIE' };
    const first = await send('POST', path, body, admin, key);
    expect(first.status).toBe(200);
    // As after a process that ended between the workflow's answer and its own.
    await api.owner
      .updateTable('idempotency_keys')
      .set({ state: 'IN_PROGRESS', deadline: new Date(0), status: null, body: null })
      .where('key', '=', key)
      .execute();
    const again = await send('POST', path, body, admin, key);
    expect([again.status, again.body]).toEqual([200, first.body]);
  });

  it('are not accepted while a hit is open, and are when it was somebody else', async () => {
    const { verificationId, customerId } = await aCase();
    const hitId = await aHit(api, customerId);
    const refused = await send('POST', `/verifications/${verificationId}/accept`, {});
    expect([refused.status, refused.body.title]).toEqual([422, 'SCREENING_HIT_OPEN']);
    const decision = { decision: 'FALSE_POSITIVE', note: 'born elsewhere' };
    const decided = await send('POST', `/screening/hits/${hitId}/decision`, decision);
    expect([decided.status, decided.body.state]).toEqual([200, 'FALSE_POSITIVE']);
    const accepted = await send('POST', `/verifications/${verificationId}/accept`, {});
    expect([accepted.status, accepted.body.status]).toEqual([200, 'ACCEPTED']);
  });

  it('are decided by Managers only where the programme says so', async () => {
    const { verificationId } = await aCase();
    const accept = () => send('POST', `/verifications/${verificationId}/accept`, {}, manager);
    const permissions = async () =>
      (await send('GET', '/session', undefined, manager)).body.operator.permissions;
    const refused = await accept();
    expect([refused.status, refused.body.title]).toEqual([403, 'FORBIDDEN']);
    expect(await permissions()).not.toContain('verifications.decide');
    await setMode({ kyc_review_roles: ['Admin', 'Manager'] });
    try {
      await vi.waitFor(async () => expect(await permissions()).toContain('verifications.decide'), {
        timeout: 10_000,
      });
      expect((await accept()).status).toBe(200);
    } finally {
      await setMode({ kyc_review_roles: ['Admin'] });
    }
  });

  it('answer 503 while no workflow runs there, and the key stays free', async () => {
    const { verificationId } = await aCase();
    const key = randomUUID();
    const accept = () => send('POST', `/verifications/${verificationId}/accept`, {}, admin, key);
    // The last test of the file: nobody works any more.
    await worker.stop();
    const silent = await accept();
    expect([silent.status, silent.body.title]).toEqual([503, 'SERVICE_UNAVAILABLE']);
    expect(silent.headers['retry-after']).toBeDefined();
  }, 60_000);
});
