import { randomUUID } from 'node:crypto';
import { nowOf, type Trx } from '../../db/atomically.ts';
import { completeKey, type KeyUse, releaseKey } from '../../db/idempotency-keys.ts';
import { Refusal } from '../../domain/errors.ts';
import { isTemporalAway } from '../../temporal/workflows.ts';
import { claim, isKept, replay, storedRefusal, toStored } from '../middleware/idempotency.ts';
import type { OperatorPrincipal } from '../operator-principal.ts';
import type { Answer, Call } from '../route.ts';

/** What a workflow said to a decision; `UNKNOWN`: it may still take effect. */
export type WorkflowReply = 'DONE' | 'UNKNOWN' | Refusal;

interface Question {
  /** Route, which stands in the name under which the workflow does this once. */
  readonly operation: string;
  /** Refuses what need not be sent; writes nothing. */
  readonly refuse: (trx: Trx) => Promise<void>;
  readonly ask: (updateId: string) => Promise<WorkflowReply>;
  /** What has become of it. */
  readonly show: (trx: Trx) => Promise<unknown>;
}

type AskingCall = Call<OperatorPrincipal, unknown, unknown, unknown>;

const OUTSIDE_CALL_MS = 15_000;

/**
 * Puts a decision to a running workflow (onboarding 6.2, 8.5): the key is claimed and commits, the workflow is asked
 * outside of any transaction, the answer commits. The workflow knows the decision by the caller's key, so that a repeat
 * after silence is the same decision, not a second one. Throws what `refuse` and the workflow refuse with, and
 * `SERVICE_UNAVAILABLE` when it does not answer.
 */
export async function askWorkflow(call: AskingCall, question: Question): Promise<Answer> {
  const { vault } = call.services;
  const use = call.idempotency === null ? null : { ...call.idempotency, partnerId: call.caller.partnerId };
  const begun = await call.atomically((trx) => begin(trx, call, use, question));
  if (begun instanceof Refusal) throw begun;
  if (begun !== 'FIRST') return begun;
  const reply = await question.ask(updateIdOf(call, use, question)).catch((error: unknown) => {
    if (isTemporalAway(error)) return 'UNKNOWN' as const;
    throw error;
  });
  if (reply === 'UNKNOWN') {
    if (use !== null) await call.atomically((trx) => releaseKey(trx, use));
    throw new Refusal(
      'SERVICE_UNAVAILABLE',
      'The workflow did not answer. Repeat with the same idempotency key to learn what came of it.',
    );
  }
  if (reply instanceof Refusal) {
    if (use !== null) {
      await call.atomically((trx) => completeKey(trx, use, storedRefusal(vault, use, reply)));
    }
    throw reply;
  }
  return await call.atomically(async (trx) => {
    const answer = { status: 200, body: await question.show(trx) };
    if (use !== null) await completeKey(trx, use, toStored(vault, use, answer));
    return answer;
  });
}

async function begin(
  trx: Trx,
  { services: { vault } }: AskingCall,
  use: KeyUse | null,
  { refuse }: Question,
): Promise<'FIRST' | Answer | Refusal> {
  const claimed =
    use === null ? null : await claim(trx, use, new Date(nowOf(trx).getTime() + OUTSIDE_CALL_MS));
  if (claimed?.kind === 'replay' && use !== null) return await replay(vault, use, claimed.answer, undefined);
  try {
    await refuse(trx);
    return 'FIRST';
  } catch (error) {
    if (use === null || !(error instanceof Refusal) || !isKept(error)) throw error;
    // What was asked before may have been done meanwhile: the workflow tells.
    if (claimed?.kind === 'interrupted') return 'FIRST';
    await completeKey(trx, use, storedRefusal(vault, use, error));
    return error;
  }
}

const updateIdOf = ({ principal }: AskingCall, use: KeyUse | null, { operation }: Question): string =>
  `${operation}:${principal.operatorId}:${use?.key ?? randomUUID()}`;
