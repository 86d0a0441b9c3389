import type {
  AuthorizationMessage,
  ClearingRecord,
  ReversalMessage,
} from '../../activities/authorization/messages.ts';
import { aPurchase, aRecord, aReversal, type TestCard } from './card-traffic.ts';

/** One row of a scenario. */
export interface ScenarioEvent {
  readonly name: string;
  readonly amount: number;
  /** Which purchase it is about, counted from 1; null = the newest. */
  readonly of: number | null;
}

/** What the network, the clock or the partner does next. */
export type Action =
  | { readonly kind: 'authorize'; readonly message: AuthorizationMessage }
  | { readonly kind: 'reverse'; readonly message: ReversalMessage }
  | { readonly kind: 'clear'; readonly record: ClearingRecord }
  | { readonly kind: 'expire' }
  | { readonly kind: 'topUp' | 'collateralCredit'; readonly amount: number };

/** Turns the events of one scenario into messages about one card. */
export function scenarioMessages(card: TestCard): (event: ScenarioEvent) => Action {
  const purchases: AuthorizationMessage[] = [];
  /** Known to the network alone so far. */
  let unsent: AuthorizationMessage | null = null;
  let reversal: ReversalMessage | null = null;

  const made = (message: AuthorizationMessage): Action => {
    purchases.push(message);
    return { kind: 'authorize', message };
  };
  const about = ({ of }: ScenarioEvent): AuthorizationMessage => {
    const purchase = of === null ? purchases.at(-1) : purchases[of - 1];
    if (purchase === undefined) throw new Error('a scenario speaks of a purchase that was not made');
    return purchase;
  };
  const reversed = (purchase: AuthorizationMessage, amount: number): Action => {
    reversal = aReversal(purchase, { amount, currency: 'EUR' });
    return { kind: 'reverse', message: reversal };
  };
  const cleared = (
    purchase: AuthorizationMessage,
    amount: number,
    changes: Partial<ClearingRecord>,
  ): Action => ({
    kind: 'clear',
    record: aRecord(purchase, amount, changes),
  });
  const unknown = (amount: number): AuthorizationMessage => (unsent = aPurchase(card, amount));
  const same = (event: ScenarioEvent): Partial<AuthorizationMessage> => {
    const { networkReferenceId } = about(event);
    return { networkReferenceId };
  };
  const advice = { advice: true, adviceReason: 'STAND_IN', adviceResult: 'APPROVED' } as const;
  const credit = (amount: number, reason: 'REFUND' | 'MONEY_SEND'): AuthorizationMessage =>
    aPurchase(card, amount, {
      kind: 'CREDIT_AUTHORIZATION',
      type: 'adjustment',
      transactionData: { adjustmentReasonDescription: reason },
    });

  return (event) => {
    const { name, amount } = event;
    switch (name) {
      case 'auth':
        return made(aPurchase(card, amount));
      case 'auth partial':
        return made(aPurchase(card, amount, { partialApprovalSupported: true }));
      case 'cashback':
        return made(
          aPurchase(card, amount, {
            type: 'cashback_at_pos',
            verification: { pin: 'MATCH' },
            transactionData: { mcc: '5942', captureMode: 'emv', cashbackPosAmount: 2000 },
          }),
        );
      case 'inquiry':
        return made(aPurchase(card, 0, { kind: 'BALANCE_INQUIRY', type: 'balance_inquiry' }));
      case 'its auth':
        if (unsent === null) throw new Error('a scenario sends what was never made');
        return made(unsent);
      case 'increment':
        return {
          kind: 'authorize',
          message: aPurchase(card, amount, { kind: 'INCREMENTAL', ...same(event) }),
        };
      case 'increment to': {
        const changes = { kind: 'INCREMENTAL', cumulativeAmount: amount, ...same(event) } as const;
        return { kind: 'authorize', message: aPurchase(card, 1, changes) };
      }
      case 'lone increment':
        return { kind: 'authorize', message: aPurchase(card, amount, { kind: 'INCREMENTAL' }) };
      case 'advice':
        return made(aPurchase(card, amount, advice));
      case 'early advice': {
        const { networkReferenceId } = unknown(amount);
        return { kind: 'authorize', message: aPurchase(card, amount, { ...advice, networkReferenceId }) };
      }
      case 'its advice':
        return { kind: 'authorize', message: aPurchase(card, amount, { ...advice, ...same(event) }) };
      case 'its credit advice':
      case 'its declined credit': {
        const adviceResult = name === 'its declined credit' ? 'DECLINED' : 'APPROVED';
        const message = { ...credit(amount, 'MONEY_SEND'), ...advice, adviceResult, ...same(event) } as const;
        return { kind: 'authorize', message };
      }
      case 'completion': {
        const changes = { ...advice, adviceReason: 'COMPLETION', ...same(event) } as const;
        return { kind: 'authorize', message: aPurchase(card, amount, changes) };
      }
      case 'declined advice': {
        const changes = { ...advice, adviceResult: 'DECLINED', ...same(event) } as const;
        return { kind: 'authorize', message: aPurchase(card, amount, changes) };
      }
      case 'announce refund':
        return made(credit(amount, 'REFUND'));
      case 'money send':
        return made(credit(amount, 'MONEY_SEND'));
      case 'reversal':
        return reversed(about(event), amount);
      case 'early reversal':
        return reversed(unknown(amount), amount);
      case 'same reversal':
        if (reversal === null) throw new Error('a scenario repeats a reversal that was never made');
        return { kind: 'reverse', message: reversal };
      case 'clearing':
        return cleared(about(event), amount, {});
      case 'merchant clearing': {
        const { transactionData } = about(event);
        const unnamed = { networkReferenceId: undefined, retrievalReferenceNumber: undefined };
        return cleared(about(event), amount, {
          ...unnamed,
          transactionData: { merchantIdentifier: transactionData?.merchantIdentifier },
        });
      }
      case 'part clearing':
        return cleared(about(event), amount, { final: false });
      case 'unknown clearing':
        return cleared(unknown(amount), amount, {});
      case 'refund':
        return cleared(about(event), amount, { recordType: 'REFUND' });
      case 'unlinked refund':
        return cleared(unknown(amount), amount, { recordType: 'REFUND' });
      case 'credit':
        return cleared(about(event), amount, { recordType: 'CREDIT' });
      case 'chargeback':
        return cleared(about(event), amount, { recordType: 'CHARGEBACK' });
      case 'second presentment':
        return cleared(about(event), amount, { recordType: 'SECOND_PRESENTMENT' });
      case 'expiry':
        return { kind: 'expire' };
      case 'topUp':
      case 'collateralCredit':
        return { kind: name, amount };
      default:
        throw new Error(`unknown event in a scenario: ${name}`);
    }
  };
}
