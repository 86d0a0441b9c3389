import { FormData as MultipartForm } from 'undici';
import { aPurchase, aRecord, aReversal } from './card-traffic.ts';
import { aCompany, aPerson, encrypted } from './builders.ts';
import { aBusiness, aContact, anEntity, anOwner, anUpload } from './kyb.ts';
import { aFile } from './pictures.ts';

/** Ids that the parameters of a path, or the members of a body, may name. */
export interface Named {
  readonly customerId: number;
  readonly dcCorporationId: string;
  readonly employeeId: string;
  readonly importId: string;
  readonly cardId: number;
  readonly balanceId: string;
  /** Another balance of the same programme. */
  readonly otherBalanceId: string;
  readonly transactionId: string;
  readonly partnerBalanceId: string;
  readonly verificationId: string;
  readonly processorCardId: string;
  readonly configId: string;
  /** An application of a company, with a document. */
  readonly applicationId: string;
  readonly documentId: string;
  readonly lockReason: string;
  readonly certificateId: string;
  /** PEM of a certificate request. */
  readonly csr: string;
}

/** Ids of nothing. */
export const NOTHING_NAMED: Named = {
  customerId: 999_999_999,
  dcCorporationId: '11111111-1111-4111-8111-111111111111',
  employeeId: '11111111-1111-4111-8111-111111111111',
  importId: '11111111-1111-4111-8111-111111111111',
  cardId: 999_999_999,
  balanceId: '11111111-1111-4111-8111-111111111111',
  otherBalanceId: '22222222-2222-4222-8222-222222222222',
  transactionId: '11111111-1111-4111-8111-111111111111',
  partnerBalanceId: '11111111-1111-4111-8111-111111111111',
  verificationId: '11111111-1111-4111-8111-111111111111',
  processorCardId: 'pc_nothing',
  configId: '0019167984',
  applicationId: '11111111-1111-4111-8111-111111111111',
  documentId: '11111111-1111-4111-8111-111111111111',
  lockReason: 'POLICE_LOCK',
  certificateId: '11111111-1111-4111-8111-111111111111',
  csr: '',
};

/** A request of a route that is right in everything but, maybe, its sender. */
export interface Sample {
  readonly body?: (named: Named, path: string) => object;
  readonly form?: (named: Named) => FormData;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: (named: Named, path: string) => string;
  /**
   * What somebody sees who may call the route but does not own what is named: nothing is there; a list without
   * it; or the route makes something of the caller's own.
   */
  readonly stranger: 'missing' | 'list' | 'own' | 'none';
  /** True for what belongs to the partner as a whole: its programmes are no strangers to each other. */
  readonly ofPartner?: boolean;
}

const missing = { stranger: 'missing' } as const;

/** One sample for every operation that is served on the certificate listener. */
export const samples = (picture: Buffer): Readonly<Record<string, Sample>> => ({
  certificatePublicKey: { stranger: 'none' },
  securePublicKey: { stranger: 'none' },
  lifecyclePublicKey: { stranger: 'none' },
  submitVerification: { ...missing, form: () => verificationForm(picture) },
  readLatestVerification: missing,
  listVerifications: missing,
  readVerification: missing,
  secureBeginKybApplication: {
    stranger: 'own',
    body: () => aContact(),
  },
  secureReadKybApplication: missing,
  securePutKybContact: { ...missing, body: () => aContact() },
  securePutKybEntity: { ...missing, body: () => anEntity() },
  securePutKybBusiness: { ...missing, body: () => aBusiness() },
  securePutKybPersons: { ...missing, body: () => ({ persons: [anOwner()] }) },
  secureAddKybDocument: { ...missing, form: () => anUpload({ type: 'OTHER' }, picture) },
  secureRemoveKybDocument: missing,
  secureSubmitKybApplication: missing,
  createBalance: { ...missing, body: () => ({ currency: 'EUR' }) },
  listBalances: missing,
  readBalance: missing,
  deleteBalance: missing,
  listAllBalances: { stranger: 'list' },
  createBalanceOf: {
    ...missing,
    body: ({ customerId }) => ({ currency: 'EUR', dcUserId: customerId }),
  },
  createVirtualCard: {
    ...missing,
    headers: encrypted,
    body: ({ balanceId, configId, customerId }) => ({ balanceId, configId, dcUserId: customerId }),
  },
  listCards: {
    ...missing,
    query: ({ customerId }, path) => (path.includes('{customerId}') ? '' : `?dcUserId=${customerId}`),
  },
  readCardSummary: missing,
  readFullCard: { ...missing, headers: encrypted },
  lockCard: { ...missing, body: () => ({ reason: 3 }) },
  unlockCard: missing,
  readCardLimits: missing,
  putCardLimits: { ...missing, body: () => ({ perTransactionMinor: 60_000 }) },
  readCustomerLimits: missing,
  putCustomerLimits: { ...missing, body: () => ({ perTransactionMinor: 60_000 }) },
  topUp: { ...missing, body: () => ({ amount: 100, currency: 'EUR' }) },
  postTransaction: {
    ...missing,
    body: ({ balanceId }, path) => ({
      ...(path.includes('{balanceId}') ? {} : { balanceId }),
      type: 'fee',
      amount: 10,
      currency: 'EUR',
      transactionId: 'fee-1',
    }),
  },
  transferBetweenBalances: {
    ...missing,
    body: ({ balanceId, otherBalanceId }) => ({
      fromBalanceId: balanceId,
      toBalanceId: otherBalanceId,
      amount: 10,
    }),
  },
  listPartnerBalances: { stranger: 'list' },
  readPartnerBalance: missing,
  putPartnerBalanceAlert: {
    ...missing,
    body: () => ({ threshold: 100, emails: ['treasury@demo.test'], enabled: true }),
  },
  listPartnerBalanceTransactions: missing,
  postOnPartnerBalance: {
    ...missing,
    body: () => ({ type: 'collateralCredit', amount: 10, currency: 'EUR', transactionId: 'bank-1' }),
  },
  readTransaction: missing,
  listCertificates: { stranger: 'list', ofPartner: true },
  renewCertificate: { stranger: 'own', ofPartner: true, body: ({ csr }) => ({ csr }) },
  revokeOwnCertificate: { ...missing, ofPartner: true, body: () => ({ reason: 'SUPERSEDED' }) },
  createUser: { stranger: 'own', body: () => aPerson() },
  listUsers: { stranger: 'list' },
  readUser: missing,
  updateUser: {
    ...missing,
    body: ({ customerId }, path) => ({
      firstName: 'Changed',
      ...(path.includes('{userId}') ? {} : { userId: customerId }),
    }),
  },
  lockUser: { ...missing, body: () => ({ reason: 'asked for by the user' }) },
  unlockUser: missing,
  deleteUser: missing,
  listUserAddresses: missing,
  putUserAddress: { ...missing, body: anAddress },
  deleteUserAddress: missing,
  createCorporation: { stranger: 'own', body: () => aCompany({ kyb: null }) },
  listCorporations: { stranger: 'list' },
  readCorporation: missing,
  updateCorporation: { ...missing, body: () => ({ website: 'https://example.com' }) },
  lockCorporation: missing,
  unlockCorporation: missing,
  deleteCorporation: missing,
  listCorporationAddresses: missing,
  putCorporationAddress: { ...missing, body: anAddress },
  deleteCorporationAddress: missing,
  addEmployee: { ...missing, body: () => ({ user: aPerson(), role: 'EMPLOYEE' }) },
  listEmployees: missing,
  readEmployee: missing,
  updateEmployee: { ...missing, body: () => ({ position: 'clerk' }) },
  removeEmployee: missing,
  listEmployeeCards: missing,
  importUsers: { stranger: 'own', form: () => usersFile() },
  readUserImport: missing,
  listImportedRows: missing,
  readImportReport: missing,
  cancelUserImport: missing,
  listUserLocks: missing,
  addUserLock: { ...missing, body: () => ({ lockReason: 'POLICE_LOCK' }) },
  liftUserLock: missing,
  listCorporationLocks: missing,
  addCorporationLock: { ...missing, body: () => ({ lockReason: 'POLICE_LOCK' }) },
  liftCorporationLock: missing,
  lifecycleReadCard: missing,
  lifecycleListCards: missing,
  lifecycleLockCard: { ...missing, body: () => ({ reason: 3 }) },
  lifecycleUnlockCard: missing,
  lifecycleRemoveCard: missing,
  authorize: { stranger: 'none', body: (named) => aPurchase(named, 100) },
  authorizeIncremental: {
    stranger: 'none',
    body: (named) => aPurchase(named, 100, { kind: 'INCREMENTAL' }),
  },
  advise: {
    stranger: 'none',
    body: (named) =>
      aPurchase(named, 100, { advice: true, adviceReason: 'STAND_IN', adviceResult: 'APPROVED' }),
  },
  reverse: { stranger: 'none', body: (named) => aReversal(aPurchase(named, 100)) },
  clear: { stranger: 'none', body: (named) => aRecord(aPurchase(named, 100), 100) },
  refund: {
    stranger: 'none',
    body: (named) => aRecord(aPurchase(named, 100), 100, { recordType: 'REFUND' }),
  },
  announceClearingFile: {
    stranger: 'none',
    body: () => ({
      fileId: 'C1',
      businessDate: '2026-03-01',
      records: 1,
      size: 100,
      sha256: 'ab'.repeat(32),
    }),
  },
  processorHealth: { stranger: 'none' },
});

/** A multipart form with a file of one user. */
export function usersFile(): FormData {
  const { firstName, lastName, phone, email, birthDate } = aPerson();
  const form = new MultipartForm();
  const lines = [
    'firstName,lastName,phone,email,birthDate',
    [firstName, lastName, phone, email, birthDate].join(','),
  ];
  form.set('file', new File([lines.join('\n')], 'users.csv', { type: 'text/csv' }));
  return form as unknown as FormData;
}

/** An address; where the path names no type, the body does. */
export function anAddress(_named: Named, path: string): object {
  return {
    street: 'Polna',
    number: '17a',
    city: 'Lublin',
    postCode: '20-128',
    country: 'PL',
    ...(path.includes('{type}') ? {} : { type: 'CORRESPONDENCE' }),
  };
}

/** A verification form that is right. */
export function verificationForm(picture: Buffer): FormData {
  const form = new MultipartForm();
  const fields = {
    firstName: 'Ada',
    lastName: 'Nowak',
    street: 'Polna',
    number: '17a',
    city: 'Lublin',
    birthDate: '1990-04-12',
    postCode: '20-128',
    identityCardNo: 'ASD123456',
    documentType: 'passport',
    country: 'PL',
    documentExpirationDate: '2035-01-30',
    nationality: 'polish',
    riskLvl: 'LOW',
  };
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  for (const name of ['imageFace', 'imageFront', 'imageBack']) form.set(name, aFile(picture), `${name}.jpg`);
  return form as unknown as FormData;
}
