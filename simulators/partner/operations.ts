/** The calls of the partner contract, and how a request line is recognised as one of them. */

export const operations = [
  'link',
  'unlink',
  'balance',
  'balances',
  'debit',
  'force-debit',
  'credit',
  'force-credit',
  'reversal',
  'status',
  'otp',
  'verification',
  'cardLocked',
  'cardUnlocked',
  'lockReasonAdded',
  'lockReasonRemoved',
  'transaction',
  'transaction-event',
  'public-key',
] as const;
export type Operation = (typeof operations)[number];

export type MoneyOperation = 'debit' | 'force-debit' | 'credit' | 'force-credit';

export const notices = [
  'otp',
  'verification',
  'cardLocked',
  'cardUnlocked',
  'lockReasonAdded',
  'lockReasonRemoved',
  'transaction',
  'transaction-event',
] as const satisfies readonly Operation[];
export type NoticeOperation = (typeof notices)[number];

/** True for a notification, the OTP among them. */
export function isNotice(operation: Operation): operation is NoticeOperation {
  return (notices as readonly Operation[]).includes(operation);
}

/** True for bodies that arrive encrypted (partner-integrations 2.3). */
export function isSensitive(operation: Operation): boolean {
  return operation === 'otp' || operation === 'verification';
}

export interface Route {
  readonly operation: Operation;
  /** Values of the path, decoded, by their name: `userId`, `balanceId`, `transactionId`, `kind`. */
  readonly params: Readonly<Record<string, string>>;
}

interface Pattern {
  readonly method: string;
  readonly parts: readonly string[];
  readonly operation: Operation;
  readonly kind?: string;
}

const notification = (path: string, operation: NoticeOperation): Pattern => ({
  method: 'POST',
  parts: ['notifications', path],
  operation,
  kind: path,
});

const patterns: readonly Pattern[] = [
  { method: 'POST', parts: ['users', ':userId', 'balances'], operation: 'link' },
  { method: 'GET', parts: ['users', ':userId', 'balances', ':balanceId'], operation: 'balance' },
  { method: 'GET', parts: ['users', ':userId', 'balances'], operation: 'balances' },
  { method: 'DELETE', parts: ['users', ':userId', 'balances', ':balanceId'], operation: 'unlink' },
  { method: 'POST', parts: ['transactions', 'debit'], operation: 'debit' },
  { method: 'POST', parts: ['transactions', 'force-debit'], operation: 'force-debit' },
  { method: 'POST', parts: ['transactions', 'credit'], operation: 'credit' },
  { method: 'POST', parts: ['transactions', 'force-credit'], operation: 'force-credit' },
  { method: 'POST', parts: ['transactions', 'reversal'], operation: 'reversal' },
  { method: 'PUT', parts: ['transactions', ':transactionId'], operation: 'status' },
  notification('otp', 'otp'),
  notification('verificationInProgress', 'verification'),
  notification('verificationAccepted', 'verification'),
  notification('verificationRejected', 'verification'),
  notification('cardLocked', 'cardLocked'),
  notification('cardUnlocked', 'cardUnlocked'),
  notification('transactionalLockReasonAdded', 'lockReasonAdded'),
  notification('transactionalLockReasonRemoved', 'lockReasonRemoved'),
  notification('transaction', 'transaction'),
  { method: 'POST', parts: ['transaction-event'], operation: 'transaction-event', kind: 'transaction-event' },
  { method: 'GET', parts: ['public-key'], operation: 'public-key' },
];

/** The call that a request line names, or null when the contract has no such call. */
export function findRoute(method: string, path: string): Route | null {
  const given = decodeParts(path);
  if (given === null) return null;
  for (const pattern of patterns) {
    if (pattern.method !== method || pattern.parts.length !== given.length) continue;
    const params: Record<string, string> = pattern.kind === undefined ? {} : { kind: pattern.kind };
    const matches = pattern.parts.every((part, index) => {
      const value = given[index] ?? '';
      if (!part.startsWith(':')) return part === value;
      params[part.slice(1)] = value;
      return value !== '';
    });
    if (matches) return { operation: pattern.operation, params };
  }
  return null;
}

function decodeParts(path: string): readonly string[] | null {
  try {
    return path.split('?', 1)[0]!.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return null;
  }
}
