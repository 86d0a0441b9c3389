import { randomUUID } from 'node:crypto';
import type { Method } from '../../api/route.ts';
import type { StoredOperatorState } from '../../domain/operator.ts';
import { appUserOf } from './app-users.ts';
import { aBalance, aCompany, aCorporation, aCustomer, anEmployee, aPerson } from './builders.ts';
import { aCsr } from './csr.ts';
import type { ApiHarness, HttpAnswer } from './harness.ts';
import { aBusiness, aContact, anEntity, anOwner, anUpload, aServerKyb, atDoor, fillKyb } from './kyb.ts';
import { adminCall, anOperator } from './operators.ts';
import { aJpeg } from './pictures.ts';
import { anAddress, type Named, NOTHING_NAMED, usersFile, verificationForm } from './route-samples.ts';

/** Ids that paths of `/admin` name besides those of the partners' channels. */
export interface AdminNamed extends Named {
  readonly holdId: string;
  readonly exceptionId: string;
  readonly programmeId: string;
  readonly partnerId: string;
  readonly fileId: string;
  readonly approvalId: string;
  /** An operator who may be given work. */
  readonly operatorId: string;
  /** An open screening hit on the user. */
  readonly hitId: string;
  /** A picture of the user's form. */
  readonly pictureId: string;
  readonly deviceInstallationId: string;
  readonly issuerCode: string;
  /** A picture that a form may bring. */
  readonly picture: Buffer;
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
  approvalId: NOBODY,
  operatorId: NOBODY,
  hitId: NOBODY,
  pictureId: NOBODY,
  deviceInstallationId: NOBODY,
  issuerCode: 'nobodys',
  picture: await aJpeg(),
};

/** What a sample may do before its call, as somebody who may. */
export interface Preparing {
  readonly api: ApiHarness;
  readonly named: AdminNamed;
  send(method: Method, path: string, body?: object): Promise<HttpAnswer>;
}

/** A request of an admin route that is right in everything but, maybe, its sender. */
export interface AdminSample {
  readonly body?: (named: AdminNamed, path: string) => object;
  readonly form?: (named: AdminNamed) => FormData;
  readonly query?: (named: AdminNamed) => string;
  /** What those are told who may, where it is not a success. */
  readonly answer?: readonly [number, string];
  /** Makes what the call needs, for those whose call has to succeed. */
  readonly before?: (preparing: Preparing) => Promise<Partial<AdminNamed>>;
  /** What an operator of another partner sees: nothing is there; a list without it; only what is his own. */
  readonly stranger: 'missing' | 'list' | 'none';
  /** True for what only operators of the platform see. */
  readonly platform?: boolean;
}

const own = { stranger: 'none' } as const;
const missing = { stranger: 'missing' } as const;
const list = { stranger: 'list' } as const;

/** One more operator of the partner, in the state that the call needs. */
const colleague =
  (state: StoredOperatorState) =>
  async ({ api }: Preparing) => ({
    operatorId: (await anOperator(api, { role: 'Employee', partner: 'demo', state })).operatorId,
  });

const emptyBalance = async ({ api, named }: Preparing) => ({
  balanceId: await aBalance(api, named.customerId),
});

/** A key that has not been used. */
export const freshKey = (): Record<string, string> => ({ 'X-Idempotency-Key': randomUUID() });

/** An adjustment of the owner's balance. */
export const adjustment = ({ balanceId }: { readonly balanceId: string }) => ({
  balanceId,
  category: 'CREDIT',
  amount: 25,
  currency: 'EUR',
  reasonCode: 'GOODWILL',
  note: 'for the long wait',
});

/** A request that waits for its second operator, asked for by one of the partner. */
const anApproval = async ({ api, named }: Preparing) => {
  const asking = await anOperator(api, { role: 'Manager', partner: 'demo' });
  const body = adjustment({ balanceId: await aBalance(api, named.customerId) });
  const asked = await adminCall(api, 'POST', '/admin/adjustments', asking, { body, headers: freshKey() });
  return { approvalId: asked.body.approvalId as string };
};

const demoOf = (api: ApiHarness) =>
  api.owner
    .selectFrom('partners')
    .select(['partner_id', 'public_id'])
    .where('code', '=', 'demo')
    .executeTakeFirstOrThrow();

/** A certificate that waits for another operator, under a label of its own. */
const aCertificateRequest = async ({ api }: Preparing) => {
  const asking = await anOperator(api, { role: 'Manager', partner: 'demo' });
  const label = randomUUID().slice(0, 8);
  const body = { csr: (await aCsr()).csr, label, scopes: ['partner'] };
  const asked = await adminCall(api, 'POST', '/admin/certificates', asking, { body });
  return { certificateId: asked.body.certificateId as string };
};

/** A programme of a partner, with what has to be said alone. */
export const aProgramme = (partnerId: string) => ({
  partnerId,
  issuerCode: `i-${randomUUID().slice(0, 8)}`,
  name: 'A programme',
  balanceHolder: 'platform',
  funding: 'deposit',
  defaultCurrency: 'EUR',
  kycMode: 'EXTERNAL',
  country: 'PL',
});

let ranges = 0;

/** A card product of a programme, with numbers that no other has. */
export const aProduct = (programmeId: string) => {
  ranges += 1;
  const range = `5599${String(ranges).padStart(4, '0')}`;
  return {
    programmeId,
    configId: String(4_000_000 + ranges),
    name: 'A product',
    kind: 'VIRTUAL',
    currency: 'EUR',
    binPrefix: range,
    rangeLow: range.padEnd(16, '0'),
    rangeHigh: range.padEnd(16, '9'),
    network: 'MASTERCARD',
    category: 'prepaid',
    processorProductId: 'VIR-EUR-TEST',
  };
};

/** A hit of a list on a user; gives its id. */
export async function aHit(api: ApiHarness, customerId: number): Promise<string> {
  const hitId = randomUUID();
  await api.owner
    .insertInto('screening_hits')
    .values({
      hit_id: hitId,
      partner_id: (await demoOf(api)).partner_id,
      subject_type: 'CUSTOMER',
      subject_ref: String(customerId),
      verification_id: null,
      kyb_application_id: null,
      list_code: 'CUSTOM',
      entry_id: hitId,
      score: 0.95,
      entry_fingerprint: 'test',
    })
    .execute();
  return hitId;
}

/** A company's application that could be submitted, with the id of a document of its own. */
export async function anApplication(
  api: ApiHarness,
): Promise<Pick<AdminNamed, 'applicationId' | 'documentId'>> {
  const door = await aServerKyb(api);
  await fillKyb(api, door);
  const { documents } = (await atDoor(api, door, 'GET', '')).body;
  return { applicationId: door.applicationId, documentId: documents[0].documentId };
}

/** The form of a user who gets one a sample: five a day are taken. */
const aFreshUser = async ({ api }: Preparing) => ({ customerId: await aCustomer(api) });

const aDevice = async ({ api, named }: Preparing) => ({
  deviceInstallationId: (await appUserOf(api, named.customerId)).installationId,
});

const aPoliceLock =
  (path: (named: AdminNamed) => string) =>
  async ({ named, send }: Preparing) => {
    await send('POST', `/admin${path(named)}/transactional-locks`, { lockReason: 'POLICE_LOCK' });
    return {};
  };

const ofCustomer = ({ customerId }: AdminNamed) => `/customers/${customerId}`;
const ofCorporation = ({ dcCorporationId }: AdminNamed) => `/corporations/${dcCorporationId}`;

/** Nobody can be told a decision here: the case does not wait for one. */
const undecidable = { ...missing, answer: [409, 'STATE_CONFLICT'] as const };

const noClaim = { claimed_by: null, claimed_until: null };

const freeVerification = (api: ApiHarness, verificationId: string) =>
  api.owner.updateTable('verifications').set(noClaim).where('verification_id', '=', verificationId).execute();

const freeApplication = (api: ApiHarness, applicationId: string) =>
  api.owner
    .updateTable('kyb_applications')
    .set(noClaim)
    .where('application_id', '=', applicationId)
    .execute();

const aScreeningList = (): FormData => {
  const lines = ['entryId,kind,name,aliases,birthDates,countries', 'c-1,PERSON,Jan Zly,,1970,PL'];
  return anUpload({}, Buffer.from(lines.join('\n')), 'text/csv');
};

const limitsBody = () => ({ perTransactionMinor: 60_000 });

/** One sample for every operation of `/admin` that somebody signed in may call. */
export const adminSamples: Readonly<Record<string, AdminSample>> = {
  readSession: own,
  endSession: own,
  stepUp: { ...own, body: () => ({ code: '000000' }), answer: [401, 'INVALID_CODE'] },
  changeOwnPassword: {
    ...own,
    body: () => ({ current: 'not the password of mine', new: 'another one, long enough' }),
    answer: [401, 'INVALID_CREDENTIALS'],
  },
  offerTotp: own,
  confirmTotp: { ...own, body: () => ({ code: '000000' }), answer: [401, 'INVALID_CODE'] },
  listRoles: own,
  listOperators: list,
  readOperator: missing,
  inviteOperator: {
    ...own,
    body: () => ({
      email: `${randomUUID()}@operators.test`,
      firstName: 'Ada',
      lastName: 'Nowak',
      role: 'Employee',
    }),
  },
  inviteOperatorAgain: { ...missing, before: colleague('INVITED') },
  changeOperator: {
    ...missing,
    body: () => ({ firstName: 'Ada', version: 1 }),
    before: colleague('ACTIVE'),
  },
  unlockOperator: missing,
  disableOperator: { ...missing, before: colleague('ACTIVE') },
  enableOperator: { ...missing, before: colleague('DISABLED') },
  endSessionsOfOperator: { ...missing, before: colleague('ACTIVE') },
  listAuditLog: list,
  verifyAuditLog: { ...own, body: () => ({}) },
  listApprovals: own,
  readApproval: missing,
  approve: { ...missing, body: () => ({}), before: anApproval },
  rejectApproval: { ...missing, body: () => ({ reason: 'not right' }), before: anApproval },
  cancelApproval: { ...missing, before: anApproval, answer: [403, 'FORBIDDEN'] },
  reloadBalance: { ...missing, body: () => ({ amount: 100 }) },
  postAdjustment: { ...missing, body: adjustment },
  releaseHold: { ...missing, body: () => ({ reason: 'asked by the merchant' }) },
  createPartnerBalance: {
    ...missing,
    platform: true,
    body: ({ programmeId }) => ({ programmeId, kind: 'deposit', currency: 'CHF' }),
  },
  adminPostOnPartnerBalance: {
    ...missing,
    platform: true,
    body: () => ({
      type: 'collateralCredit',
      amount: 10,
      currency: 'EUR',
      transactionId: randomUUID(),
    }),
  },
  putProgrammeLimits: { ...missing, body: limitsBody },
  putProductLimits: {
    ...missing,
    body: limitsBody,
    query: ({ programmeId }) => `?programmeId=${programmeId}`,
  },
  resolveException: {
    ...missing,
    body: () => ({ resolution: 'ACCEPT', note: 'as it should be' }),
    before: async ({ named, send }) => {
      await send('POST', `/admin/exceptions/${named.exceptionId}/claim`);
      return {};
    },
  },
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
  createCardProduct: { ...missing, body: ({ programmeId }) => aProduct(programmeId) },
  changeCardProduct: {
    ...missing,
    query: ({ programmeId }) => `?programmeId=${programmeId}`,
    body: () => ({ name: 'Another name', version: 1 }),
  },
  adminReadCardLimits: missing,
  adminPutCardLimits: { ...missing, body: limitsBody },
  adminReadCustomerLimits: missing,
  adminPutCustomerLimits: { ...missing, body: limitsBody },
  readProgrammeLimits: missing,
  readProductLimits: { ...missing, query: ({ programmeId }) => `?programmeId=${programmeId}` },
  adminListCustomers: list,
  adminReadCustomer: missing,
  adminCreateCustomer: {
    ...missing,
    body: ({ issuerCode }) => ({ ...aPerson(), issuerCode }),
  },
  adminChangeCustomer: { ...missing, body: () => ({ firstName: 'Changed' }) },
  adminLockCustomer: { ...missing, body: () => ({ reason: 'asked by the user' }), before: aFreshUser },
  adminUnlockCustomer: missing,
  adminDeleteCustomer: { ...missing, before: aFreshUser },
  adminListUserAddresses: missing,
  adminPutUserAddress: { ...missing, body: anAddress },
  adminDeleteUserAddress: {
    ...missing,
    before: async ({ named, send }) => {
      await send('PUT', `/admin${ofCustomer(named)}/addresses/CORRESPONDENCE`, anAddress(named, '{type}'));
      return {};
    },
  },
  adminListDevices: missing,
  adminUnpairDevice: { ...missing, before: aDevice },
  adminListSessions: missing,
  adminEndSessions: missing,
  unlockCustomerCredentials: { ...missing, body: () => ({ reason: 'asked by the user' }) },
  adminListCustomerLocks: missing,
  adminAddCustomerLock: { ...missing, body: () => ({ lockReason: 'POLICE_LOCK' }), before: aFreshUser },
  adminLiftCustomerLock: { ...missing, before: aPoliceLock(ofCustomer) },
  adminListCorporationLocks: missing,
  adminAddCorporationLock: {
    ...missing,
    body: () => ({ lockReason: 'POLICE_LOCK' }),
    before: async ({ api }) => ({ dcCorporationId: await aCorporation(api) }),
  },
  adminLiftCorporationLock: { ...missing, before: aPoliceLock(ofCorporation) },
  adminListCorporations: list,
  adminCreateCorporation: { ...missing, body: ({ issuerCode }) => ({ ...aCompany(), issuerCode }) },
  adminReadCorporation: missing,
  adminUpdateCorporation: { ...missing, body: () => ({ website: 'https://example.com' }) },
  adminLockCorporation: {
    ...missing,
    before: async ({ api }) => ({ dcCorporationId: await aCorporation(api) }),
  },
  adminUnlockCorporation: missing,
  adminDeleteCorporation: {
    ...missing,
    before: async ({ api }) => ({ dcCorporationId: await aCorporation(api) }),
  },
  adminListCorporationAddresses: missing,
  adminPutCorporationAddress: { ...missing, body: anAddress },
  adminDeleteCorporationAddress: {
    ...missing,
    before: async ({ named, send }) => {
      await send('PUT', `/admin${ofCorporation(named)}/addresses/CORRESPONDENCE`, anAddress(named, '{type}'));
      return {};
    },
  },
  adminAddEmployee: { ...missing, body: () => ({ user: aPerson(), role: 'EMPLOYEE' }) },
  adminListEmployees: missing,
  adminReadEmployee: missing,
  adminUpdateEmployee: { ...missing, body: () => ({ position: 'clerk' }) },
  adminRemoveEmployee: {
    ...missing,
    before: async ({ api, named }) => ({
      employeeId: (await anEmployee(api, named.dcCorporationId)).employeeId,
    }),
  },
  adminListEmployeeCards: missing,
  adminImportUsers: {
    ...missing,
    form: ({ issuerCode }) => {
      const form = usersFile();
      form.set('issuerCode', issuerCode);
      return form;
    },
  },
  adminReadUserImport: missing,
  adminListImportedRows: missing,
  adminReadImportReport: undecidable,
  adminCancelUserImport: missing,
  adminListVerifications: list,
  adminReadVerification: missing,
  claimVerification: {
    ...missing,
    before: async ({ api, named }) => {
      await freeVerification(api, named.verificationId);
      return {};
    },
  },
  releaseVerification: {
    ...missing,
    before: async ({ api, named }) => {
      await freeVerification(api, named.verificationId);
      return {};
    },
  },
  adminSubmitVerification: {
    ...missing,
    form: ({ picture }) => verificationForm(picture),
    before: aFreshUser,
  },
  changeVerification: {
    ...missing,
    body: () => ({ city: 'Lublin', version: 1 }),
    before: async ({ api, named }) => {
      await api.owner
        .updateTable('verifications')
        .set({ version: 1 })
        .where('verification_id', '=', named.verificationId)
        .execute();
      return {};
    },
  },
  readVerificationDocument: { ...missing, before: async ({ named }) => ({ documentId: named.pictureId }) },
  acceptVerification: undecidable,
  rejectVerification: { ...undecidable, body: () => ({ reason: 'INVALID_SELFIE' }) },
  listScreeningHits: list,
  readScreeningHit: missing,
  decideScreeningHit: {
    ...missing,
    body: () => ({ decision: 'FALSE_POSITIVE', note: 'another person' }),
    before: async ({ api, named }) => ({ hitId: await aHit(api, named.customerId) }),
  },
  listScreeningLists: own,
  loadScreeningList: { ...own, form: aScreeningList },
  adminListKybApplications: list,
  adminBeginKybApplication: { ...missing, body: ({ issuerCode }) => ({ ...aContact(), issuerCode }) },
  adminReadKybApplication: missing,
  claimKybApplication: {
    ...missing,
    before: async ({ api, named }) => {
      await freeApplication(api, named.applicationId);
      return {};
    },
  },
  releaseKybApplication: {
    ...missing,
    before: async ({ api, named }) => {
      await freeApplication(api, named.applicationId);
      return {};
    },
  },
  commentKybApplication: { ...missing, body: () => ({ text: 'Which name?' }) },
  readKybDocument: missing,
  adminPutKybContact: { ...missing, body: () => aContact() },
  adminPutKybEntity: { ...missing, body: () => anEntity() },
  adminPutKybBusiness: { ...missing, body: () => aBusiness() },
  adminPutKybPersons: { ...missing, body: () => ({ persons: [anOwner()] }) },
  adminAddKybDocument: { ...missing, form: ({ picture }) => anUpload({ type: 'OTHER' }, picture) },
  adminRemoveKybDocument: { ...missing, before: async ({ api }) => await anApplication(api) },
  adminSubmitKybApplication: { ...missing, before: async ({ api }) => await anApplication(api) },
  reviewKybSection: { ...undecidable, body: () => ({ result: 'VERIFIED' }) },
  requestKybCorrection: undecidable,
  holdKybApplication: { ...undecidable, body: () => ({ reason: 'asked the registry' }) },
  resumeKybApplication: undecidable,
  acceptKybApplication: { ...undecidable, body: () => ({}) },
  rejectKybApplication: { ...undecidable, body: () => ({ reason: 'withdrawn' }) },
  listPartners: list,
  readPartner: missing,
  createPartner: {
    ...own,
    body: () => ({ code: `p-${randomUUID().slice(0, 8)}`, name: 'New', legalName: 'New Partner Ltd' }),
  },
  changePartner: {
    ...missing,
    body: () => ({
      name: 'Demo',
      legalName: 'Demo Partner Ltd',
      contacts: [],
      ipAllowList: [],
      pinnedPublicKeys: [],
      partnerRate: 100,
      legacyIntegrations: true,
      version: 1,
    }),
  },
  suspendPartner: { ...missing, body: () => ({ reason: 'asked by the sponsor' }) },
  resumePartner: {
    ...missing,
    body: () => ({ reason: 'asked by the sponsor' }),
    answer: [409, 'STATE_CONFLICT'],
  },
  listProgrammes: list,
  readProgramme: missing,
  createProgramme: {
    ...missing,
    body: ({ partnerId }) => aProgramme(partnerId),
  },
  changeProgramme: { ...missing, body: () => ({ name: 'Another name', version: 1 }) },
  adminListCertificates: list,
  adminReadCertificate: missing,
  requestCertificate: {
    ...missing,
    body: ({ partnerId, csr }) => ({ csr, label: 'matrix', scopes: ['partner'], partnerId }),
    before: async () => ({ csr: (await aCsr()).csr }),
  },
  approveCertificate: { ...missing, before: aCertificateRequest },
  rejectCertificate: { ...missing, body: () => ({ reason: 'not asked for' }), before: aCertificateRequest },
  revokeCertificate: {
    ...missing,
    body: () => ({ reason: 'SUPERSEDED' }),
    before: async ({ api }) => {
      const { partner_id: partnerId } = await demoOf(api);
      const label = randomUUID().slice(0, 8);
      const { fingerprint } = await api.addClient({ label, scopes: ['partner'], partnerId });
      const { certificate_id: certificateId } = await api.owner
        .selectFrom('certificates')
        .select('certificate_id')
        .where('fingerprint_sha256', '=', fingerprint)
        .executeTakeFirstOrThrow();
      return { certificateId };
    },
  },
};
