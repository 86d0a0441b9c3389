import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { sql } from 'kysely';
import type { Trx } from '../../db/atomically.ts';
import { type Approval, requestApproval } from '../../db/approvals.ts';
import { Refusal } from '../../domain/errors.ts';
import { STEP_UP_SECONDS } from '../../domain/operator.ts';
import { grantOf } from '../../domain/permission.ts';
import { openBody, sealBody } from '../../vault/message-bodies.ts';
import type { Vault } from '../../vault/vault.ts';
import { validatePart } from '../middleware/validate.ts';
import type { OperatorPrincipal } from '../operator-principal.ts';
import type { Answer, AskedFor, Call, OperatorRule, Route } from '../route.ts';
import { z } from '../schemas/shared.ts';

export type AdminCall = Call<OperatorPrincipal, unknown, unknown, unknown>;

type Asked = AskedFor<unknown, unknown, unknown>;

/**
 * Runs a route of `/admin`: a fresh code where the route wants one, and two pairs of eyes where the matrix says `2`.
 * Such a call is run once for its refusals, taken back, kept, and answered 202. Throws `STEP_UP_REQUIRED`,
 * `FORBIDDEN`, `APPROVAL_PENDING` and what the route throws.
 */
export async function runAdminRoute(route: Route, call: AdminCall): Promise<Answer> {
  const { role } = route;
  if (role === 'nobody-asked' || !('permission' in role))
    throw new Error('a route of /admin names no permission');
  if (role.stepUp) requireStepUp(call.principal);
  return needsTwo(role, call) ? await askForApproval(route, role, call) : await route.handle(call as never);
}

/** Throws `STEP_UP_REQUIRED` when no code was given in the last five minutes. */
function requireStepUp({ steppedUpAt, now }: OperatorPrincipal): void {
  if (now.getTime() - steppedUpAt.getTime() <= STEP_UP_SECONDS * 1_000) return;
  throw new Refusal('STEP_UP_REQUIRED', 'Give a fresh code first: POST /admin/session/step-up.');
}

function needsTwo({ permission, fourEyes }: OperatorRule, call: AdminCall): boolean {
  if (fourEyes === null || fourEyes.when?.(call as never) === false) return false;
  const grant = grantOf(fourEyes.permission ?? permission, call.principal);
  if (!['x', '2'].includes(grant)) throw new Refusal('FORBIDDEN', 'This role may not do that.');
  return grant === '2';
}

/** Keeps what was asked for until a second operator decides. Throws `APPROVAL_PENDING`. */
export const keepForSecond = (
  trx: Trx,
  call: Pick<AdminCall, 'principal' | 'services' | 'sent'>,
  asked: Pick<Approval, 'kind' | 'operation' | 'subject' | 'summary'> & {
    readonly partnerId?: number | null;
  },
): Promise<Approval> =>
  requestApproval(
    trx,
    { ...asked, requestSha256: hashOf(call.sent), requestedBy: call.principal.operatorId },
    (approvalId) => sealRequest(call.services.vault, approvalId, call.sent),
  );

async function askForApproval(route: Route, { fourEyes }: OperatorRule, call: AdminCall): Promise<Answer> {
  if (fourEyes === null) throw new Error('a call for two says nothing to the second');
  return await call.once(async (trx) => {
    await sql`savepoint rehearsal`.execute(trx);
    await route.handle(inside(trx, call) as never);
    await sql`rollback to savepoint rehearsal`.execute(trx);
    const subject = await fourEyes.subject(call as never, trx);
    const approval = await keepForSecond(trx, call, {
      kind: fourEyes.kind,
      operation: route.operation,
      subject: { type: subject.type, id: String(subject.id) },
      summary: fourEyes.summary(call as never),
    });
    return { status: 202, body: pendingBody(approval) };
  });
}

/** What the first of two is answered. */
const pendingBody = (approval: Approval) => ({
  approvalId: approval.approvalId,
  state: approval.state,
  kind: approval.kind,
  summary: approval.summary,
  subject: approval.subject,
  expiresAt: approval.expiresAt.toISOString(),
});

/** The call as a handler sees it whose work belongs to a transaction that is open already. */
const inside = (trx: Trx, call: AdminCall): AdminCall => ({
  ...call,
  idempotency: null,
  recipient: null,
  atomically: (work) => work(trx),
  once: (work) => work(trx),
  conclude: (work) => work(trx),
  asEngine: refuseSecondTransaction,
  onceAsEngine: refuseSecondTransaction,
});

function refuseSecondTransaction(): never {
  throw new Error('a route for two does all its work in one transaction');
}

/**
 * Runs a kept request exactly as it was sent, in the transaction of its approval and in the scope of the one who
 * asked. Throws what the route throws.
 */
export async function runApproved(
  trx: Trx,
  route: Route,
  approval: Approval,
  call: AdminCall,
): Promise<Answer> {
  const sent = openRequest(call.services.vault, approval);
  const { partnerId } = approval;
  const { principal } = call;
  return await route.handle({
    ...inside(trx, call),
    requestedBy: approval.requestedBy,
    sent,
    params: validatePart<unknown>(route.params ?? NOTHING, sent.params),
    query: validatePart<unknown>(route.query ?? NOTHING, sent.query),
    body: validatePart<unknown>(route.body ?? NOTHING, sent.body),
    principal:
      partnerId === null
        ? principal
        : {
            ...principal,
            scope: 'PARTNER',
            partnerId,
            programmes: principal.programmes.filter((one) => one.partnerId === partnerId),
          },
  } as never);
}

const NOTHING = z.strictObject({});

const hashOf = (sent: Asked): Buffer =>
  createHash('sha256')
    .update(canonicalize(sent) ?? '')
    .digest();

const placeOf = (approvalId: string) => ({
  partnerId: null,
  table: 'approvals',
  rowId: approvalId,
  field: 'request',
});

function sealRequest(vault: Vault, approvalId: string, sent: Asked): Buffer {
  return sealBody(vault, placeOf(approvalId), Buffer.from(JSON.stringify(sent)));
}

/** The request of an approval as it was sent. Throws where it is not the one that was hashed. */
export function openRequest(vault: Vault, { approvalId, request, requestSha256 }: Approval): Asked {
  const sent = JSON.parse(openBody(vault, placeOf(approvalId), request).toString('utf8')) as Asked;
  if (!hashOf(sent).equals(requestSha256))
    throw new Error('a kept request is not the one that was asked for');
  return sent;
}
