import { processingStatusOf, type Lifecycle } from './transaction.ts';

/** What a message names of an earlier one; members that were not sent are null (authorization 1). */
export interface Reference {
  readonly originalStan: string | null;
  readonly originalLocalAt: string | null;
  readonly networkReference: string | null;
  readonly referenceExternalId: string | null;
  /** Milliseconds since the epoch; narrows `referenceExternalId` to one day around it. */
  readonly referenceAtMs: number | null;
  /** With `rrn`, the last of the references. */
  readonly approvalCode: string | null;
  readonly rrn: string;
}

const DAY_MS = 86_400_000;

/** Transactions that a message means: the first reference sent that finds any decides (authorization 9). */
export function referencedBy(reference: Reference, candidates: readonly Lifecycle[]): Lifecycle[] {
  const { originalStan, originalLocalAt, networkReference, referenceExternalId, referenceAtMs } = reference;
  const { approvalCode, rrn } = reference;
  const references: ((one: Lifecycle) => boolean)[] = [
    (one) => originalStan !== null && one.stan === originalStan && one.localAt === originalLocalAt,
    (one) => networkReference !== null && one.networkReference === networkReference,
    (one) =>
      referenceExternalId !== null &&
      one.externalId === referenceExternalId &&
      (referenceAtMs === null || Math.abs(one.createdAtMs - referenceAtMs) <= DAY_MS),
    (one) => approvalCode !== null && one.approvalCode === approvalCode && one.rrn === rrn,
  ];
  for (const means of references) {
    const found = candidates.filter(means);
    // A declined attempt often shares its references with the one that was approved after it.
    const successes = found.filter((one) => processingStatusOf(one.state) === 'SUCCESS');
    if (found.length > 0) return successes.length > 0 ? successes : found;
  }
  return [];
}
