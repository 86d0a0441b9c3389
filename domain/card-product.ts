import { lockReason } from './card-lock.ts';
import { type FieldFault, invalid } from './errors.ts';

/** What operators set of a card product (cards 1); what of it belongs to a later release is not here. */
export interface CardProductSettings {
  readonly name: string;
  readonly kind: 'VIRTUAL' | 'PHYSICAL';
  readonly digitalFirst: boolean;
  /** The physical product that plastic is ordered with. */
  readonly printConfigId: string | null;
  readonly currency: string;
  readonly binPrefix: string;
  readonly rangeLow: string;
  readonly rangeHigh: string;
  readonly network: 'MASTERCARD' | 'VISA';
  readonly category: 'credit' | 'debit' | 'prepaid';
  readonly holder: 'user' | 'corporation' | 'both';
  readonly expiryMonths: number;
  readonly maxCardsPerBalance: number;
  readonly pinLength: number;
  readonly pinTries: number;
  readonly activationProof: 'none' | 'last4_and_expiry';
  readonly renewal: 'auto' | 'manual';
  readonly customerLockCodes: readonly number[];
  readonly processorProductId: string;
  readonly anonymous: boolean;
  /** CLOSED issues nothing. */
  readonly state: 'ACTIVE' | 'CLOSED';
}

/** What stands from the start: cards that were issued carry it. */
const FIXED = ['kind', 'currency', 'binPrefix', 'rangeLow', 'rangeHigh'] as const;

/** Names of what stands and would change. */
export const fixedOfProduct = (before: CardProductSettings, after: CardProductSettings): string[] =>
  FIXED.filter((name) => before[name] !== after[name]);

/** Refuses settings that do not fit together, by field. Throws `VALIDATION_ERROR`. */
export function refuseProductSettings(settings: CardProductSettings): void {
  const { kind, binPrefix, rangeLow, rangeHigh } = settings;
  const faults: FieldFault[] = [];
  const fault = (field: keyof CardProductSettings, message: string) => faults.push({ field, message });
  if (!rangeLow.startsWith(binPrefix)) fault('rangeLow', 'must start with binPrefix');
  if (!rangeHigh.startsWith(binPrefix)) fault('rangeHigh', 'must start with binPrefix');
  if (rangeHigh < rangeLow) fault('rangeHigh', 'must not be below rangeLow');
  if (kind === 'PHYSICAL' && settings.digitalFirst) fault('digitalFirst', 'is for virtual products alone');
  if (kind === 'PHYSICAL' && settings.printConfigId !== null) {
    fault('printConfigId', 'is for virtual products alone');
  }
  if (settings.customerLockCodes.some((code) => lockReason(code) === undefined)) {
    fault('customerLockCodes', 'must be codes of lock reasons');
  }
  if (faults.length > 0) throw invalid(faults);
}
