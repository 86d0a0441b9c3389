import type { ReleaseResult } from './release.ts';

/** An operator ends a hold before its time (money 5). */
export interface HoldRelease {
  readonly transactionId: string;
  /** Minor units; null = everything. */
  readonly amount: number | null;
  readonly reason: string;
  readonly operatorId: string;
  /** Tells this release from another one of the same transaction. */
  readonly requestId: string;
}

/** What a release came to; `NO_TRANSACTION`: there is none with a card under this id. */
export type HoldReleaseResult = ReleaseResult | { readonly result: 'NO_TRANSACTION' };

/** Id of the workflow of a release: one for each request about a transaction. */
export const holdReleaseId = ({ transactionId, requestId }: HoldRelease): string =>
  `hold-release:${transactionId}:${requestId}`;
