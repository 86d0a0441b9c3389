import type { Call } from './call.ts';
import { asObject, asText, orderKeyOf } from './facts.ts';
import { sha256, type Intake } from './intake.ts';
import type { Ledger } from './ledger.ts';
import { isNotice } from './operations.ts';
import { showsPan } from './pan.ts';
import { schemaOf } from './schemas.ts';
import { noteSequence } from './sequence.ts';
import type { SimState, ViolationCode } from './state.ts';

export interface Finding {
  readonly code: ViolationCode;
  readonly detail: string;
}

export interface JudgeSettings {
  readonly maxResends: number;
  readonly now: () => Date;
  /** When the partner port was last opened again after it could not be reached; null: never. */
  readonly outageEndedAt: () => Date | null;
}

/** Judges the platform by one call (transaction-history 9.5) and returns what is against the contract. */
export function judge(state: SimState, ledger: Ledger, settings: JudgeSettings, intake: Intake): Finding[] {
  const { call } = intake;
  const findings: Finding[] = [...intake.faults];
  if (isNotice(call.operation) && call.operation !== 'otp' && call.attempt === settings.maxResends + 2) {
    const detail = `More than ${settings.maxResends} resends of one notification.`;
    findings.push({ code: 'TOO_MANY_RESENDS', detail });
  }
  if (call.operation === 'otp' && isOtpRepeated(state, call)) {
    findings.push({ code: 'OTP_REPEATED', detail: 'A one-time password came a second time.' });
  }
  const isFirst = call.attempt === 1 && call.problem?.status !== 422;
  return isFirst ? [...findings, ...judgeFirstAttempt(state, ledger, settings, call)] : findings;
}

function isOtpRepeated(state: SimState, call: Call): boolean {
  if (call.attempt > 1) return true;
  if (call.body === undefined) return false;
  const hash = sha256(JSON.stringify(call.body));
  if (state.otps.get(hash) === true) return true;
  state.otps.set(hash, true);
  return false;
}

function judgeFirstAttempt(state: SimState, ledger: Ledger, settings: JudgeSettings, call: Call): Finding[] {
  const findings: Finding[] = [];
  const shape = schemaOf(call.operation, call.params['kind']);
  const parsed = call.body === undefined ? undefined : shape?.safeParse(call.body);
  if (parsed?.success === false) {
    // The messages of zod name members and expectations, never the value that came.
    const places = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
    findings.push({ code: 'SCHEMA', detail: places.join('; ') });
  }
  if (showsPan(call.body) || showsPan(call.params['transactionId'], 'transactionId')) {
    findings.push({ code: 'PAN_SEEN', detail: 'The request shows a card number.' });
  }
  const orderKey = orderKeyOf(call);
  if (orderKey !== null && call.sequence !== null) {
    const inOrder = noteSequence(state, orderKey, call.sequence, settings.now(), settings.outageEndedAt());
    const detail = `Number ${call.sequence} of ${orderKey} came after a higher one.`;
    if (!inOrder) findings.push({ code: 'SEQUENCE_BACKWARDS', detail });
  }
  if (call.operation === 'reversal') findings.push(...judgeReversal(ledger, call));
  return findings;
}

function judgeReversal(ledger: Ledger, call: Call): Finding[] {
  const body = asObject(call.body);
  const entry = ledger.findReversible(asText(body['id']) ?? '', asText(body['transactionId']) ?? '');
  if (entry === undefined || entry.bodySha256 === call.bodySha256) return [];
  const detail = `The body is not that of the ${entry.operation} it reverses.`;
  return [{ code: 'REVERSAL_BODY_DIFFERS', detail }];
}
