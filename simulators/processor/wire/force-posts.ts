import type { Draw } from '../draws.ts';
import { ACQUIRER_ID } from './authorization.ts';
import type { NetworkMessage } from './message.ts';
import { dateOf } from './message.ts';

/** Many clearing records without an authorization, for files of any size. */
export interface ForcePosts {
  readonly processorCardIds: readonly string[];
  readonly count: number;
  readonly amountMinorUnits: number;
  readonly currency: string;
}

/**
 * The records one after the other, cards in turn. One draw serves all of them and a running number makes each
 * unlike the others, so that 100,000 cost no time.
 */
export function* forcePostRecords(
  { processorCardIds, count, amountMinorUnits, currency }: ForcePosts,
  draw: Draw,
  now: Date,
): Generator<NetworkMessage> {
  const day = dateOf(now);
  const settlementDate = dateOf(new Date(now.getTime() + 24 * 3_600_000));
  const network = draw.unused('networkReferenceId', (name) => draw.alphanumeric(name, 6));
  const prefix = draw.digits('externalTransactionId', 4);
  const arn = draw.digits('arn', 15);
  for (let number = 1; number <= count; number += 1) {
    const running = String(number).padStart(8, '0');
    yield {
      recordId: `F${network}${running}`,
      recordType: 'PURCHASE',
      processorCardId: processorCardIds[(number - 1) % processorCardIds.length] ?? '',
      transactionDate: day,
      settlementDate,
      acquirerId: ACQUIRER_ID,
      arn: arn + running,
      externalTransactionId: prefix + running,
      networkReferenceId: `MCC${day.slice(5, 7)}${day.slice(8)}${network}${running}`,
      amount: amountMinorUnits,
      currency,
      final: true,
      description: 'SIMULATOR SHOP',
      transactionData: { mcc: '5999', acquirerCountry: 'POL' },
    };
  }
}
