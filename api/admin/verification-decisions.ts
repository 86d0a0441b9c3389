import { customersByIds } from '../../db/customers.ts';
import { refuseAcceptance, refuseUnlessInReview } from '../../db/verification-decisions.ts';
import { readVerification } from '../../db/verifications.ts';
import { assertNever, Refusal } from '../../domain/errors.ts';
import { REJECTION_REASONS, type ReviewDecision } from '../../domain/verification.ts';
import { type DecisionAnswer, decideVerification } from '../../temporal/workflows.ts';
import { adminRoute, type OperatorPrincipal, operatorProgrammeIds } from '../operator-principal.ts';
import type { Answer, Call } from '../route.ts';
import { text, uuid, word, z } from '../schemas/shared.ts';
import { queueItemSchema, toQueueItem } from '../schemas/verification-review.ts';
import { askWorkflow, type WorkflowReply } from './ask-workflow.ts';
import { readReviewable } from './verifications.ts';

const deciding = {
  permission: 'verifications.decide',
  method: 'POST',
  jwe: 'open',
  idempotency: 'accepted',
  params: z.strictObject({ verificationId: uuid() }),
  answers: { 200: { description: 'the decided case as the queue shows it', schema: queueItemSchema } },
} as const;

const note = () => text(1, 500).optional();

const accept = adminRoute({
  ...deciding,
  operation: 'acceptVerification',
  path: '/verifications/{verificationId}/accept',
  summary: 'Accept a case that waits for a person',
  body: z.strictObject({ note: note() }),
  refusals: [
    'VERIFICATION_NOT_FOUND',
    'STATE_CONFLICT',
    'SCREENING_HIT_OPEN',
    'DOCUMENT_EXPIRED',
    'SERVICE_UNAVAILABLE',
  ],
  handle: (call) => decide(call, 'acceptVerification', { decision: 'ACCEPT', ...noted(call.body) }),
});

const reject = adminRoute({
  ...deciding,
  operation: 'rejectVerification',
  path: '/verifications/{verificationId}/reject',
  summary: 'Reject a case that waits for a person',
  body: z.strictObject({ reason: word(REJECTION_REASONS), note: note() }),
  refusals: ['VERIFICATION_NOT_FOUND', 'STATE_CONFLICT', 'SERVICE_UNAVAILABLE'],
  handle: (call) => {
    const { reason } = call.body;
    return decide(call, 'rejectVerification', { decision: 'REJECT', reason, ...noted(call.body) });
  },
});

const noted = (body: { readonly note?: string | undefined }) =>
  body.note === undefined ? {} : { note: body.note };

type DecidingCall = Call<OperatorPrincipal, { readonly verificationId: string }, unknown, unknown>;

/** Puts a decision to the case's workflow, which makes its step in the name of the operator. */
function decide(
  call: DecidingCall,
  operation: string,
  wanted: Omit<ReviewDecision, 'operatorId'>,
): Promise<Answer> {
  const { principal, services, params } = call;
  const { verificationId } = params;
  const scope = operatorProgrammeIds(principal);
  const decision: ReviewDecision = { ...wanted, operatorId: principal.operatorId };
  return askWorkflow(call, {
    operation,
    refuse: async (trx) => {
      const verification = await readReviewable(trx, principal, verificationId);
      if (decision.decision === 'ACCEPT') await refuseAcceptance(trx, verification);
      else refuseUnlessInReview(verification);
    },
    ask: async (updateId) =>
      replyOf(await decideVerification(services.workflows, verificationId, decision, updateId)),
    show: async (trx) => {
      const decided = await readVerification(trx, scope, params);
      const customers = await customersByIds(trx, scope, [decided.customerId]);
      return toQueueItem(trx, services.vault, customers, decided);
    },
  });
}

function replyOf(answer: DecisionAnswer): WorkflowReply {
  switch (answer.outcome) {
    case 'DECIDED':
      return 'DONE';
    case 'UNKNOWN':
      return 'UNKNOWN';
    case 'REFUSED':
    case 'NOT_RUNNING':
      return new Refusal('STATE_CONFLICT', 'This verification does not wait for a decision.');
    default:
      return assertNever(answer);
  }
}

export const verificationDecisions = [accept, reject];
