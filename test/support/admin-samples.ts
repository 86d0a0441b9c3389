import { randomUUID } from 'node:crypto';
import type { Method } from '../../api/route.ts';
import { aBalance } from './builders.ts';
import type { ApiHarness, HttpAnswer } from './harness.ts';
import { type Named, NOTHING_NAMED } from './route-samples.ts';

/** Ids that paths of `/admin` name besides those of the partners' channels. */
export interface AdminNamed extends Named {
  readonly holdId: string;
  readonly exceptionId: string;
  readonly programmeId: string;
  readonly partnerId: string;
  readonly fileId: string;
  /** An operator who may be given work. */
  readonly operatorId: string;
}

const NOBODY = '11111111-1111-4111-8111-111111111111';

/** Ids of nothing. */
export const NOTHING_OF_ADMIN: AdminNamed = {
  ...NOTHING_NAMED,
  configId: '99999999999999999999',
  holdId: NOBODY,
  exceptionId: NOBODY,
  programmeId: NOBODY,
  partnerId: NOBODY,
  fileId: 'no-such-file',
  operatorId: NOBODY,
};

/** What a sample may do before its call, as somebody who may. */
export interface Preparing {
  readonly api: ApiHarness;
  readonly named: AdminNamed;
  send(method: Method, path: string, body?: object): Promise<HttpAnswer>;
}

/** A request of an admin route that is right in everything but, maybe, its sender. */
export interface AdminSample {
  readonly body?: (named: AdminNamed) => object;
  readonly query?: (named: AdminNamed) => string;
  /** Makes what the call needs, for those whose call has to succeed. */
  readonly before?: (preparing: Preparing) => Promise<Partial<AdminNamed>>;
  /** What an operator of another partner sees: nothing is there; a list without it; only what is his own. */
  readonly stranger: 'missing' | 'list' | 'none';
  /** True for what only operators of the platform see. */
  readonly platform?: boolean;
}

const missing = { stranger: 'missing' } as const;
const list = { stranger: 'list' } as const;

const emptyBalance = async ({ api, named }: Preparing) => ({
  balanceId: await aBalance(api, named.customerId),
});

const limitsBody = () => ({ perTransactionMinor: 60_000 });

/** One sample for every operation of `/admin` that somebody signed in may call. */
export const adminSamples: Readonly<Record<string, AdminSample>> = {
  readSession: { stranger: 'none' },
  endSession: { stranger: 'none' },
  adminListBalances: list,
  adminListCustomerBalances: missing,
  adminReadBalance: missing,
  adminCreateBalance: { ...missing, body: () => ({ currency: 'JPY' }) },
  blockBalance: { ...missing, body: () => ({ reason: 'asked by the holder' }), before: emptyBalance },
  unblockBalance: {
    ...missing,
    body: () => ({ reason: 'asked by the holder' }),
    before: async (preparing) => {
      const made = await emptyBalance(preparing);
      await preparing.send('POST', `/admin/balances/${made.balanceId}/block`, { reason: 'for a test' });
      return made;
    },
  },
  adminDeleteBalance: { ...missing, before: emptyBalance },
  adminListPartnerBalances: list,
  adminReadPartnerBalance: missing,
  adminListPartnerBalanceTransactions: missing,
  readBalanceSummary: { ...missing, query: ({ programmeId }) => `?programmeId=${programmeId}` },
  adminPutPartnerBalanceAlert: {
    ...missing,
    body: () => ({ threshold: 100, emails: ['treasury@demo.test'], enabled: true }),
  },
  adminListTransactions: list,
  adminReadTransaction: missing,
  listTransactionEvents: missing,
  readTransactionTrace: missing,
  listHolds: list,
  readHold: missing,
  listExceptions: list,
  readException: missing,
  claimException: missing,
  assignException: { ...missing, body: ({ operatorId }) => ({ operatorId }) },
  listClearingFiles: { ...list, platform: true },
  readClearingFile: { ...missing, platform: true },
  adminListCards: list,
  adminReadCard: missing,
  adminListCardProducts: list,
  adminReadCardProduct: { ...missing, query: ({ programmeId }) => `?programmeId=${programmeId}` },
  adminReadCardLimits: missing,
  adminPutCardLimits: { ...missing, body: limitsBody },
  adminReadCustomerLimits: missing,
  adminPutCustomerLimits: { ...missing, body: limitsBody },
  readProgrammeLimits: missing,
  readProductLimits: { ...missing, query: ({ programmeId }) => `?programmeId=${programmeId}` },
  adminListCustomers: list,
  adminReadCustomer: missing,
};

/** A key that has not been used. */
export const freshKey = (): Record<string, string> => ({ 'X-Idempotency-Key': randomUUID() });
