import { noContent, refusal, type Answer, type Call, type Outcome } from './call.ts';
import type { Ledger, Verdict } from './ledger.ts';
import { linkSchema, movementSchema, type Movement } from './schemas.ts';
import type { InboxItem, SimState } from './state.ts';

/** How a rule bends the reference behaviour. */
export interface Bend {
  readonly verdict: Verdict | null;
  readonly ignoreKey: boolean;
  readonly keepTombstone: boolean;
}

export const straight: Bend = { verdict: null, ignoreKey: false, keepTombstone: true };

export interface Processing {
  readonly state: SimState;
  readonly ledger: Ledger;
  readonly publicKeyBase64: string;
  readonly now: () => Date;
  readonly onInbox: (item: InboxItem) => void;
}

/**
 * Does what a call asks, once per idempotency key: a key that was answered gets the stored answer. The effect
 * and the answer are kept together before anything is sent.
 */
export function processCall(processing: Processing, call: Call, bend: Bend): Outcome {
  if (call.problem !== null) return { answer: call.problem, effect: 'NONE' };
  const { keys, store } = processing.state;
  const known = call.key === null ? undefined : keys.get(call.key);
  if (known?.answer && !bend.ignoreKey) return { answer: known.answer, effect: 'REPEATED' };
  return store.atomically(() => {
    const outcome = perform(processing, call, bend);
    if (known !== undefined) keys.set(known.key, { ...known, answer: outcome.answer });
    return outcome;
  });
}

function perform(processing: Processing, call: Call, bend: Bend): Outcome {
  const { ledger } = processing;
  const { userId = '', balanceId = '', transactionId = '' } = call.params;
  switch (call.operation) {
    case 'debit':
    case 'credit':
    case 'force-debit':
    case 'force-credit': {
      const { operation, key, bodySha256, sequence } = call;
      const { verdict } = bend;
      if (verdict?.kind === 'DECLINE' && operation.startsWith('force-')) return declined(verdict.answer);
      return withMovement(call, (movement) =>
        ledger.move(operation, movement, { key, bodySha256, sequence }, verdict),
      );
    }
    default:
      if (bend.verdict?.kind === 'DECLINE') return declined(bend.verdict.answer);
  }
  switch (call.operation) {
    case 'link': {
      const body = linkSchema.safeParse(call.body);
      if (!body.success) return invalid();
      return ledger.link(userId, body.data.balanceId, body.data.currency);
    }
    case 'unlink':
      return ledger.unlink(userId, balanceId);
    case 'balance':
      return ledger.readBalance(userId, balanceId);
    case 'balances':
      return ledger.readBalances(userId);
    case 'reversal':
      return withMovement(call, (movement) => ledger.reverse(movement, bend.keepTombstone));
    case 'status':
      return withMovement(call, (movement) => ledger.clear(movement.id, transactionId));
    case 'public-key':
      return { answer: { status: 200, body: { publicKey: processing.publicKeyBase64 } }, effect: 'READ' };
    case 'otp':
    case 'verification':
    case 'cardLocked':
    case 'cardUnlocked':
    case 'lockReasonAdded':
    case 'lockReasonRemoved':
    case 'transaction':
    case 'transaction-event':
      return receiveNotice(processing, call);
  }
}

function withMovement(call: Call, act: (movement: Movement) => Outcome): Outcome {
  const movement = movementSchema.safeParse(call.body);
  return movement.success ? act(movement.data) : invalid();
}

const declined = (answer: Answer): Outcome => ({ answer, effect: 'NONE' });
const invalid = (): Outcome => declined(refusal(400, 'VALIDATION_ERROR', 'The body misses what is needed.'));

function receiveNotice(processing: Processing, call: Call): Outcome {
  const item = processing.state.inbox.add((n) => ({
    n,
    at: processing.now().toISOString(),
    kind: call.params['kind'] ?? call.operation,
    operation: call.operation,
    key: call.key,
    sequence: call.sequence,
    body: call.body,
  }));
  processing.onInbox(item);
  return { answer: noContent, effect: 'STORED' };
}
