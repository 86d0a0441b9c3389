import { readKybApplication } from '../../db/kyb-applications.ts';
import { refuseKybCommand } from '../../db/kyb-reviews.ts';
import { assertNever, Refusal, type RefusalCode } from '../../domain/errors.ts';
import { KYB_SECTIONS, type KybCommand, SECTION_STATES } from '../../domain/kyb-application.ts';
import { commandKyb, type KybAnswer } from '../../temporal/kyb.ts';
import { adminRoute, type OperatorPrincipal, operatorProgrammeIds } from '../operator-principal.ts';
import type { Answer, Call } from '../route.ts';
import { kybReviewSchema } from '../schemas/kyb-review.ts';
import { text, uuid, word, z } from '../schemas/shared.ts';
import { askWorkflow, type WorkflowReply } from './ask-workflow.ts';
import { kybReviewAnswer } from './kyb-answer.ts';

const params = z.strictObject({ applicationId: uuid() });

const shared = {
  jwe: 'open',
  idempotency: 'accepted',
  method: 'POST',
  params,
  answers: { 200: { description: 'the application as it stands now', schema: kybReviewSchema } },
} as const;

const handling = { ...shared, permission: 'kyb.handle' } as const;
const deciding = { ...shared, permission: 'kyb.decide' } as const;
const refusals = ['APPLICATION_NOT_FOUND', 'STATE_CONFLICT', 'SERVICE_UNAVAILABLE'] as const;

const review = adminRoute({
  ...handling,
  operation: 'reviewKybSection',
  method: 'PUT',
  path: '/kyb/applications/{applicationId}/sections/{section}/review',
  summary: 'Mark a section; a comment is mailed to the applicant',
  params: params.extend({ section: word(KYB_SECTIONS) }),
  body: z
    .strictObject({ result: word(SECTION_STATES), comment: text(1, 2000).optional() })
    .openapi('KybSectionReview'),
  refusals,
  handle: (call) => {
    const { result, comment } = call.body;
    const { section } = call.params;
    const said = comment === undefined ? {} : { comment };
    return command(call, 'reviewKybSection', { action: 'reviewSection', section, result, ...said });
  },
});

const requestCorrection = adminRoute({
  ...handling,
  operation: 'requestKybCorrection',
  path: '/kyb/applications/{applicationId}/request-correction',
  summary: 'Send an application back to its applicant',
  refusals,
  handle: (call) => command(call, 'requestKybCorrection', { action: 'requestCorrection' }),
});

const hold = adminRoute({
  ...handling,
  operation: 'holdKybApplication',
  path: '/kyb/applications/{applicationId}/hold',
  summary: 'Put an application on hold',
  body: z.strictObject({ reason: text(1, 1000) }),
  refusals,
  handle: (call) => command(call, 'holdKybApplication', { action: 'hold', reason: call.body.reason }),
});

const resume = adminRoute({
  ...handling,
  operation: 'resumeKybApplication',
  path: '/kyb/applications/{applicationId}/resume',
  summary: 'Go on with an application that is on hold',
  refusals,
  handle: (call) => command(call, 'resumeKybApplication', { action: 'resume' }),
});

const accept = adminRoute({
  ...deciding,
  operation: 'acceptKybApplication',
  path: '/kyb/applications/{applicationId}/accept',
  summary: 'Accept a company',
  stepUp: true,
  body: z.strictObject({ note: text(1, 1000).optional() }),
  refusals: [...refusals, 'SECTIONS_NOT_VERIFIED', 'SCREENING_HIT_OPEN', 'STEP_UP_REQUIRED'],
  handle: (call) => {
    const { note } = call.body;
    const noted = note === undefined ? {} : { note };
    return command(call, 'acceptKybApplication', { action: 'accept', ...noted });
  },
});

const reject = adminRoute({
  ...deciding,
  operation: 'rejectKybApplication',
  path: '/kyb/applications/{applicationId}/reject',
  summary: 'Reject a company',
  body: z.strictObject({ reason: text(1, 1000) }),
  refusals,
  handle: (call) => command(call, 'rejectKybApplication', { action: 'reject', reason: call.body.reason }),
});

type CommandCall = Call<OperatorPrincipal, { readonly applicationId: string }, unknown, unknown>;
type Wanted<C = KybCommand> = C extends KybCommand ? Omit<C, 'operatorId'> : never;

/** Puts a command to the application's workflow, which does it in the name of the operator. */
function command(call: CommandCall, operation: string, wanted: Wanted): Promise<Answer> {
  const { principal, services } = call;
  const { applicationId } = call.params;
  const asked = { ...wanted, operatorId: principal.operatorId } as KybCommand;
  const scope = operatorProgrammeIds(principal);
  return askWorkflow(call, {
    operation,
    refuse: async (trx) => refuseKybCommand(trx, await readKybApplication(trx, scope, applicationId), asked),
    ask: async (updateId) => replyOf(await commandKyb(services.workflows, applicationId, asked, updateId)),
    show: async (trx) =>
      kybReviewAnswer(trx, services.vault, principal, await readKybApplication(trx, scope, applicationId)),
  });
}

const TOLD: readonly RefusalCode[] = ['SECTIONS_NOT_VERIFIED', 'SCREENING_HIT_OPEN'];

function replyOf(answer: KybAnswer): WorkflowReply {
  switch (answer.outcome) {
    case 'DONE':
    case 'UNKNOWN':
      return answer.outcome;
    case 'REFUSED':
      return new Refusal(TOLD.find((one) => one === answer.reason) ?? 'STATE_CONFLICT', REFUSED);
    case 'NOT_RUNNING':
      return new Refusal('STATE_CONFLICT', REFUSED);
    default:
      return assertNever(answer);
  }
}

const REFUSED = 'This cannot be done to the application in its present state.';

export const kybReviews = [review, requestCorrection, hold, resume, accept, reject];
