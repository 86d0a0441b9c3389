import { sql } from 'kysely';
import {
  type Approval,
  APPROVAL_STATES,
  findApproval,
  listApprovals,
  lockPendingApproval,
  settleApproval,
} from '../../db/approvals.ts';
import type { Trx } from '../../db/atomically.ts';
import { findOperator } from '../../db/operators.ts';
import { APPROVAL_KINDS, type ApprovalKind, mayApprove } from '../../domain/approval-kind.ts';
import { Refusal } from '../../domain/errors.ts';
import { operatorStateAt } from '../../domain/operator.ts';
import { toErrorAnswer } from '../errors.ts';
import { adminRoute, type OperatorPrincipal } from '../operator-principal.ts';
import { readPage } from '../pagination.ts';
import type { Answer, Route } from '../route.ts';
import { date, listOf, page, text, uuid, word, z } from '../schemas/shared.ts';
import { type AdminCall, openRequest, runApproved } from './four-eyes.ts';

const KINDS = Object.keys(APPROVAL_KINDS) as [ApprovalKind, ...ApprovalKind[]];

const approvalSchema = z
  .strictObject({
    approvalId: z.string(),
    state: z.enum(APPROVAL_STATES),
    kind: z.enum(KINDS),
    summary: z.string(),
    subject: z.strictObject({ type: z.string(), id: z.string() }),
    requestedBy: z.string(),
    requestedAt: date(),
    expiresAt: date(),
    decidedBy: z.string().nullable(),
    decidedAt: date().nullable(),
    comment: z.string().nullable(),
    result: z.strictObject({ title: z.string() }).nullable(),
  })
  .openapi('Approval');

const withRequest = approvalSchema.extend({
  request: z.strictObject({ params: z.unknown(), query: z.unknown(), body: z.unknown() }),
});

const approvalBody = (approval: Approval) => ({
  approvalId: approval.approvalId,
  state: approval.state,
  kind: approval.kind,
  summary: approval.summary,
  subject: approval.subject,
  requestedBy: approval.requestedBy,
  requestedAt: approval.requestedAt.toISOString(),
  expiresAt: approval.expiresAt.toISOString(),
  decidedBy: approval.decidedBy,
  decidedAt: approval.decidedAt?.toISOString() ?? null,
  comment: approval.comment,
  result: approval.resultTitle === null ? null : { title: approval.resultTitle },
});

const params = z.strictObject({ approvalId: uuid() });

const query = z.strictObject({
  ...page,
  state: word(APPROVAL_STATES).optional(),
  kind: word(KINDS).optional(),
  mine: z.enum(['true', 'false'], { error: 'must be true or false' }).optional(),
  subjectId: z.string().max(64).optional(),
});

const list = adminRoute({
  operation: 'listApprovals',
  method: 'GET',
  path: '/approvals',
  summary: 'What waits, or waited, for a second operator',
  permission: 'self',
  jwe: 'open',
  idempotency: 'ignored',
  query,
  answers: { 200: { description: 'newest first', schema: listOf(approvalSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async ({ query: asked, principal, services, atomically, receivedAtMs }) => {
    const { limit, cursor, mine, ...filter } = asked;
    const requestedBy = mine === 'true' ? principal.operatorId : undefined;
    const body = await readPage(
      services.vault,
      { principal: principal.operatorId, operation: 'listApprovals', filters: { ...filter, mine } },
      { limit, cursor },
      receivedAtMs,
      (before, count) => atomically((trx) => listApprovals(trx, { ...filter, requestedBy }, before, count)),
      (approval) => approval.approvalId,
      approvalBody,
    );
    return { status: 200, body };
  },
});

const read = adminRoute({
  operation: 'readApproval',
  method: 'GET',
  path: '/approvals/{approvalId}',
  summary: 'One approval, with the request as it was sent',
  permission: 'self',
  jwe: 'open',
  idempotency: 'ignored',
  params,
  answers: { 200: { description: 'the approval', schema: withRequest } },
  refusals: ['APPROVAL_NOT_FOUND'],
  handle: async (call) => {
    const approval = await call.atomically((trx) => findApproval(trx, call.params.approvalId));
    if (approval === undefined) throw new Refusal('APPROVAL_NOT_FOUND', 'There is no such approval.');
    const request = openRequest(call.services.vault, approval);
    return { status: 200, body: { ...approvalBody(approval), request } };
  },
});

const shared = {
  method: 'POST',
  jwe: 'open',
  idempotency: 'accepted',
  params,
  refusals: ['APPROVAL_NOT_FOUND', 'STATE_CONFLICT', 'SAME_PERSON', 'STEP_UP_REQUIRED'],
} as const;

const commentSchema = z.strictObject({ comment: text(3, 500).optional() });
const reasonSchema = z.strictObject({ reason: text(3, 500) });

const resultSchema = approvalSchema.extend({ answer: z.unknown() });

const approve = (find: (operation: string) => Route | undefined) =>
  adminRoute({
    ...shared,
    operation: 'approve',
    path: '/approvals/{approvalId}/approve',
    summary: 'Approve as the second operator: what was asked for is done now',
    permission: 'approvals.decide',
    stepUp: true,
    body: commentSchema,
    answers: { 200: { description: 'done; with the answer of what was asked for', schema: resultSchema } },
    handle: async (call) =>
      await call.once(async (trx) => {
        const approval = await lockDecidable(trx, call.params.approvalId);
        refuseDecision(approval, call.principal);
        await refuseInactive(
          trx,
          approval.requestedBy,
          'The operator who asked for this is not active any more.',
        );
        await refuseInactive(trx, call.principal.operatorId, 'Whoever is locked out approves nothing.');
        const route = find(approval.operation);
        if (route === undefined) throw new Error('an approval names a route that is not there');
        const outcome = await tryApproved(trx, route, approval, call);
        const comment = call.body.comment ?? null;
        const { operatorId: decidedBy } = call.principal;
        if (outcome instanceof Refusal) {
          const resultTitle = outcome.code;
          await settleApproval(trx, approval, { state: 'FAILED', decidedBy, comment, resultTitle });
          const { status, body } = toErrorAnswer(outcome);
          return { status, body };
        }
        const settled = await settleApproval(trx, approval, { state: 'APPROVED', decidedBy, comment });
        return { status: 200, body: { ...approvalBody(settled), answer: outcome.body ?? null } };
      }),
  });

/** The answer of what was asked for, or why it can no longer be done; a refusal leaves nothing behind. */
async function tryApproved(
  trx: Trx,
  route: Route,
  approval: Approval,
  call: AdminCall,
): Promise<Answer | Refusal> {
  await sql`savepoint approved`.execute(trx);
  try {
    return await runApproved(trx, route, approval, call);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await sql`rollback to savepoint approved`.execute(trx);
    return error;
  }
}

/** As `lockPendingApproval`; requests for certificates are listed here and decided there (channels 9). */
async function lockDecidable(trx: Trx, approvalId: string): Promise<Approval> {
  const approval = await lockPendingApproval(trx, approvalId);
  if (approval.kind !== 'CERTIFICATE_ISSUE') return approval;
  throw new Refusal(
    'STATE_CONFLICT',
    `Decide it with /certificates/${approval.subject.id}/approve or /reject.`,
  );
}

function refuseDecision(approval: Approval, operator: OperatorPrincipal): void {
  if (approval.requestedBy === operator.operatorId) {
    throw new Refusal('SAME_PERSON', 'The second pair of eyes must be another person.');
  }
  if (!mayApprove(approval.kind, operator)) {
    throw new Refusal('FORBIDDEN', 'This role may not decide approvals of this kind.');
  }
}

/** Both of two have to be ACTIVE (administration 3); a session outlives a lock-out. Throws `STATE_CONFLICT`. */
async function refuseInactive(trx: Trx, operatorId: string, detail: string): Promise<void> {
  const operator = await findOperator(trx, operatorId);
  if (operator !== undefined && operatorStateAt(operator, operator.now) === 'ACTIVE') return;
  throw new Refusal('STATE_CONFLICT', detail);
}

const reject = adminRoute({
  ...shared,
  operation: 'rejectApproval',
  path: '/approvals/{approvalId}/reject',
  summary: 'Reject as the second operator',
  permission: 'approvals.decide',
  body: reasonSchema,
  answers: { 200: { description: 'rejected', schema: approvalSchema } },
  handle: async (call) =>
    await call.once(async (trx) => {
      const approval = await lockDecidable(trx, call.params.approvalId);
      refuseDecision(approval, call.principal);
      const { operatorId: decidedBy } = call.principal;
      const comment = call.body.reason;
      const settled = await settleApproval(trx, approval, { state: 'REJECTED', decidedBy, comment });
      return { status: 200, body: approvalBody(settled) };
    }),
});

const cancel = adminRoute({
  ...shared,
  operation: 'cancelApproval',
  path: '/approvals/{approvalId}/cancel',
  summary: 'Take back what one has asked for oneself',
  permission: 'self',
  answers: { 200: { description: 'cancelled', schema: approvalSchema } },
  handle: async (call) =>
    await call.once(async (trx) => {
      const approval = await lockDecidable(trx, call.params.approvalId);
      const { operatorId } = call.principal;
      if (approval.requestedBy !== operatorId) {
        throw new Refusal('FORBIDDEN', 'Only the operator who asked for it may take it back.');
      }
      const outcome = { state: 'CANCELLED', decidedBy: operatorId, comment: null } as const;
      return { status: 200, body: approvalBody(await settleApproval(trx, approval, outcome)) };
    }),
});

/** The calls about approvals; `find` knows every route that can wait for one. */
export const approvalRoutes = (find: (operation: string) => Route | undefined): Route[] => [
  list,
  read,
  approve(find),
  reject,
  cancel,
];
