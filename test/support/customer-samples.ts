import { APP_PIN, DEVICE_KEY, pairing, PASSWORD, somebody, toDevice } from './app-users.ts';
import { type Named, verificationForm } from './route-samples.ts';

/** Ids that the paths and bodies of the mobile channel may name. */
export interface NamedInApp extends Named {
  readonly deviceInstallationId: string;
  readonly sessionId: string;
  /** A contact change that waits for its code. */
  readonly id: string;
}

/** A request of the mobile channel that is right in everything but, maybe, its sender. */
export interface CustomerSample {
  readonly body?: (named: NamedInApp) => object;
  readonly form?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * What another user sees who names what is not theirs: nothing is there; only their own (`own`: the path names
   * nothing); `code`: the one answer of wrong codes.
   */
  readonly stranger: 'missing' | 'own' | 'code';
}

const missing = { stranger: 'missing' } as const;
const own = { stranger: 'own' } as const;

/** One sample for every operation of `/customers` that needs a session. */
export const customerSamples: Readonly<Record<string, CustomerSample>> = {
  refreshSession: own,
  logOut: own,
  listOwnSessions: own,
  endOtherSessions: own,
  endOwnSession: missing,
  stepUpOwnSession: { ...own, body: () => ({ method: 'APP_PIN', appPin: APP_PIN }) },
  listDevices: own,
  unpairDevice: missing,
  putDevicePublicKey: { ...missing, body: () => ({ publicKey: DEVICE_KEY }) },
  putDevicePushToken: { ...missing, body: () => ({ pushToken: 'push-1' }) },
  putAppPin: { ...own, body: () => ({ current: APP_PIN, new: '730264' }) },
  putOwnPassword: { ...own, body: () => ({ current: PASSWORD, new: 'amber lighthouse 42' }) },
  readMe: own,
  updateMe: { ...own, body: () => ({ language: 'pl' }) },
  requestContactChange: { ...own, body: () => ({ phone: somebody().phone }) },
  confirmContactChange: { stranger: 'code', body: () => ({ otp: '123456' }) },
  submitOwnVerification: { ...own, form: true },
  readOwnVerification: own,
  listOwnVerifications: own,
  readOneOfOwnVerifications: missing,
  createOwnBalance: { ...own, body: () => ({ currency: 'EUR' }) },
  listOwnBalances: own,
  readOwnBalance: missing,
  deleteOwnBalance: missing,
  transferBetweenOwnBalances: {
    ...missing,
    body: ({ balanceId, otherBalanceId }) => ({
      fromBalanceId: balanceId,
      toBalanceId: otherBalanceId,
      amount: 10,
    }),
  },
  createOwnVirtualCard: {
    ...missing,
    headers: toDevice,
    body: ({ balanceId, configId }) => ({ balanceId, configId }),
  },
  listOwnCards: own,
  readOwnCardSummary: missing,
  readOwnFullCard: { ...missing, headers: toDevice },
  lockOwnCard: { ...missing, body: () => ({ reason: 3 }) },
  unlockOwnCard: missing,
  readOwnCardLimits: missing,
  putOwnCardLimits: { ...missing, body: () => ({ perTransactionMinor: 60_000 }) },
  listOwnTransactions: own,
  listOwnBalanceTransactions: missing,
  listOwnCardTransactions: missing,
  readOwnTransaction: missing,
};

/** One sample for every operation of `/customers` on the way in. */
export const entrySamples: Readonly<Record<string, (named: NamedInApp) => object | undefined>> = {
  register: () => ({ ...somebody(), termsVersion: '1' }),
  resendRegistrationCode: () => undefined,
  confirmRegistration: () => ({ otp: '123456' }),
  activate: () => ({ phone: somebody().phone, birthDate: somebody().birthDate }),
  resendActivationCode: () => undefined,
  confirmActivation: () => ({ otp: '123456' }),
  pairDevice: () => pairing(`cpt_${'a'.repeat(43)}`),
  createSignInChallenge: ({ deviceInstallationId }) => ({ deviceInstallationId }),
  signInUser: ({ deviceInstallationId }) => ({ deviceInstallationId, method: 'APP_PIN', appPin: APP_PIN }),
  requestUserPasswordReset: () => ({ phone: somebody().phone, email: somebody().email }),
  confirmUserPasswordReset: () => ({
    phoneOtp: '123456',
    emailOtp: '123456',
    newPassword: 'amber lighthouse 42',
  }),
};

/** The form of a verification for a picture. */
export const formOf = (picture: Buffer): FormData => verificationForm(picture);
