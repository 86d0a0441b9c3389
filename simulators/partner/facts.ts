import type { Call } from './call.ts';
import type { Facts } from './rules.ts';

type Json = Readonly<Record<string, unknown>>;

/** The value as a JSON object; an empty one when it is something else. */
export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** A text or whole number as text; undefined for everything else. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** Gathers what rules may look at, from the path and the opened body. */
export function factsOf(call: Call): Facts {
  const body = asObject(call.body);
  const transaction = call.operation === 'transaction' ? asObject(body['transaction']) : body;
  const data = asObject(transaction['transactionData']);
  const amount = Number(transaction['amount'] ?? Number.NaN);
  const lockedUser = body['resourceType'] === 'user' ? body['resourceId'] : undefined;
  return {
    operation: call.operation,
    userId: asText(call.params['userId'] ?? body['storageCustomerId'] ?? body['userId'] ?? lockedUser),
    balanceId: asText(call.params['balanceId'] ?? transaction['balanceId']),
    cardId: asText(body['storageCardId'] ?? body['dcCardId'] ?? transaction['cardId'] ?? data['cardId']),
    id: asText(transaction['id']),
    transactionId: asText(
      call.params['transactionId'] ?? transaction['transactionId'] ?? transaction['externalTransactionId'],
    ),
    type: asText(transaction['type']),
    mcc: asText(data['mcc']),
    country: asText(data['acquirerCountry']),
    currency: asText(transaction['currency']),
    amount: Number.isNaN(amount) ? undefined : amount,
    attempt: call.attempt,
  };
}

/** The thing whose events come in sequence (partner-integrations 12), or null for a call without order. */
export function orderKeyOf(call: Call): string | null {
  const facts = factsOf(call);
  const body = asObject(call.body);
  const named = (subject: string, value: unknown): string | null => {
    const text = asText(value);
    return text === undefined ? null : `${subject}:${text}`;
  };
  switch (call.operation) {
    case 'debit':
    case 'force-debit':
    case 'credit':
    case 'force-credit':
    case 'reversal':
    case 'status':
      return named('money', facts.id);
    case 'transaction':
      return named('transaction', facts.id);
    case 'cardLocked':
    case 'cardUnlocked':
      return named('card', facts.cardId);
    case 'verification':
      return named('verification', body['verificationId']);
    case 'lockReasonAdded':
    case 'lockReasonRemoved':
      return named(asText(body['resourceType']) ?? 'resource', body['resourceId']);
    case 'transaction-event':
      return named('history', body['id']);
    case 'otp':
    case 'link':
    case 'unlink':
    case 'balance':
    case 'balances':
    case 'public-key':
      return null;
  }
}
