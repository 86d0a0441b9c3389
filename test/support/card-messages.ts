import type { AuthorizationCommand, AuthorizationView } from '../../domain/authorization-view.ts';
import type { NewTransaction } from '../../domain/decision.ts';
import type { OpenHold } from '../../domain/ledger.ts';
import type { PresentmentCommand } from '../../domain/presentment-record.ts';
import type { ReversalCommand } from '../../domain/reversal.ts';
import type { Fold, Lifecycle } from '../../domain/transaction.ts';

/** 1 March 2026, noon UTC. */
export const NOON_MS = Date.UTC(2026, 2, 1, 12);
const MERCHANT = '003060300000005';

/** A purchase at a terminal; change what a test is about. */
export const aCommand = (changes: Partial<AuthorizationCommand> = {}): AuthorizationCommand => ({
  kind: 'AUTHORIZATION',
  type: 'pos',
  amount: 3500,
  currency: 'EUR',
  originalAmount: null,
  originalCurrency: null,
  cashbackAmount: null,
  externalId: '177482',
  networkReference: 'MCC1120AB12',
  rrn: '443322110088',
  originalStan: null,
  originalLocalAt: null,
  referenceExternalId: null,
  referenceAtMs: null,
  approvalCode: null,
  cumulativeAmount: null,
  stan: '177482',
  localAt: '2026-03-01T12:00:00+00:00',
  expiry: null,
  mcc: '5942',
  country: 'POL',
  captureMode: 'nfc',
  verdicts: {
    pin: 'NOT_CHECKED',
    cvc2: 'NOT_CHECKED',
    cryptogram: 'NOT_CHECKED',
    expiry: 'NOT_CHECKED',
    threeDs: 'NOT_CHECKED',
  },
  preAuthorization: false,
  partialApprovalSupported: false,
  statusOnly: false,
  creditReason: null,
  advice: null,
  description: 'BOOK STORE',
  transactionData: { mcc: '5942', merchantIdentifier: MERCHANT },
  ...changes,
});

/** A card that may pay from 100000 EUR cents, in a programme of kind A. */
export const aView = (changes: Partial<AuthorizationView> = {}): AuthorizationView => ({
  card: {
    cardId: 1,
    baseState: 'ACTIVE',
    locks: [],
    expiryDate: '2029-03-31',
    pinTriesLeft: 3,
    cvcTriesLeft: 5,
  },
  programme: {
    version: 1,
    balanceHolder: 'platform',
    funding: 'credit',
    sharedAuthorization: false,
    allowPartialApproval: false,
    holdDays: null,
  },
  product: { version: 1, pinTries: 3, anonymous: false },
  owner: { state: 'VERIFIED', kyc: 'SUCCESS', transactionalLocks: 0 },
  balance: {
    balanceId: 'b',
    currency: 'EUR',
    holder: 'platform',
    state: 'ACTIVE',
    posted: 100_000,
    held: 0,
  },
  deposit: null,
  limits: { card: null, programme: null, product: null, customer: null },
  candidates: [],
  possibleDuplicate: false,
  tombstones: [],
  ...changes,
});

/** A transaction as the rules of later messages see it. */
export const lifecycleOf = (
  id: string,
  created: NewTransaction,
  fold: Fold,
  holds: readonly OpenHold[],
): Lifecycle => ({
  ...created,
  ...fold,
  id,
  balanceId: 'b',
  merchantIdentifier: MERCHANT,
  captureMode: 'nfc',
  cashback: 0,
  mcc: '5942',
  country: 'POL',
  createdAtMs: NOON_MS,
  holds,
});

/** A reversal of everything that the purchase of `aCommand` holds. */
export const aReversalCommand = (changes: Partial<ReversalCommand> = {}): ReversalCommand => ({
  amount: null,
  remainingAmount: null,
  currency: null,
  originalStan: '177482',
  originalLocalAt: '2026-03-01T12:00:00+00:00',
  networkReference: 'MCC1120AB12',
  referenceExternalId: null,
  referenceAtMs: null,
  approvalCode: null,
  externalId: '2678823',
  rrn: '443322110088',
  stan: '177590',
  localAt: '2026-03-01T12:20:00+00:00',
  ...changes,
});

/** A final clearing record of the purchase of `aCommand`. */
export const aRecordCommand = (changes: Partial<PresentmentCommand> = {}): PresentmentCommand => ({
  recordId: '000001',
  recordType: 'PURCHASE',
  amount: 3500,
  currency: 'EUR',
  originalAmount: null,
  originalCurrency: null,
  final: true,
  networkReference: 'MCC1120AB12',
  rrn: null,
  approvalCode: null,
  externalId: '177482',
  referenceExternalId: null,
  merchantIdentifier: null,
  interchangeAmount: null,
  interchangeCurrency: null,
  arn: null,
  transactionDate: '2026-03-01',
  description: 'BOOK STORE',
  transactionData: {},
  ...changes,
});
