import { changeProgramme, createProgramme } from '../../db/programme-changes.ts';
import {
  findProgrammeRow,
  listProgrammeRows,
  type ProgrammeRow,
  settingsOf,
} from '../../db/programme-records.ts';
import { Refusal } from '../../domain/errors.ts';
import { isTimeZone } from '../../domain/limit-periods.ts';
import { PROGRAMME_DEFAULTS } from '../../domain/programme.ts';
import { EXTRA_LOCK_REASON } from '../../domain/transactional-lock.ts';
import type { VerificationTimings } from '../../domain/verification.ts';
import { adminRoute } from '../operator-principal.ts';
import type { Services } from '../services.ts';
import { country } from '../schemas/customer.ts';
import {
  currencyCode,
  knownCurrency,
  listOf,
  page,
  text,
  uuid,
  wholeFrom,
  word,
  yesOrNo,
  z,
} from '../schemas/shared.ts';
import { operatorPage } from './lists.ts';
import { waiting } from './waiting.ts';

const reading = { permission: 'partners.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;
const writing = { permission: 'partners.write', jwe: 'open', idempotency: 'accepted' } as const;
const params = z.strictObject({ programmeId: uuid() });

const durationMs = () => wholeFrom(1_000, 366 * 24 * 60 * 60 * 1_000);

const BALANCE_HOLDERS = ['platform', 'external'] as const;
const KYC_MODES = ['MANUAL', 'AUTOMATIC', 'EXTERNAL'] as const;

/** What a programme needs; the rest has defaults. */
const needed = {
  issuerCode: z
    .string({ error: 'must be a text' })
    .regex(/^[A-Za-z0-9_-]{1,32}$/, 'must be 1 to 32 of letters, digits, _ and -'),
  name: text(1, 64),
  balanceHolder: word(BALANCE_HOLDERS),
  funding: word(['credit', 'deposit']),
  defaultCurrency: knownCurrency(),
  kycMode: word(KYC_MODES),
  country: country(),
};

const currencies = () =>
  z.array(knownCurrency()).min(1, 'must name at least one').max(50, 'must be at most 50');

const chosen = {
  state: word(['ACTIVE', 'CLOSED']),
  sandbox: yesOrNo(),
  enforcePartnerBalance: yesOrNo(),
  sharedAuthorization: yesOrNo(),
  fxMode: word(['network', 'platform']),
  autoCreateBalance: yesOrNo(),
  autoCorporation: yesOrNo(),
  externalKyb: yesOrNo(),
  corporateHolderKyc: word(['required', 'waived']),
  kycProvider: text(1, 64).nullable(),
  kycReviewRoles: z
    .array(word(['Admin', 'Manager']))
    .max(2, 'must name each role once')
    .refine((roles) => roles.includes('Admin'), 'must hold Admin'),
  kycTimings: z
    .strictObject({
      providerPollMs: durationMs(),
      providerLimitMs: durationMs(),
      reviewReminderMs: durationMs(),
    })
    .partial()
    .transform((timings) => timings as Partial<VerificationTimings>),
  minAge: wholeFrom(0, 120),
  timezone: z.string({ error: 'must be a text' }).refine(isTimeZone, 'must be a zone of the IANA database'),
  holdDays: wholeFrom(1, 366).nullable(),
  allowPartialApproval: yesOrNo(),
  enrolment: word(['OPEN', 'CLOSED', 'BOTH']),
  stepUp: word(['REQUIRED', 'APP']),
  sessionMinutes: wholeFrom(1, 60),
  appPinLength: wholeFrom(4, 8),
  manyCardsThreshold: wholeFrom(1, 1_000_000).nullable(),
  screeningThreshold: z
    .number({ error: 'must be from 0.5 to 1' })
    .min(0.5, 'must be from 0.5 to 1')
    .max(1, 'must be from 0.5 to 1'),
  extraLockReasons: z
    .array(z.string().regex(EXTRA_LOCK_REASON, 'must be 3 to 40 of A-Z and _'))
    .max(50, 'must be at most 50'),
};

const newProgramme = z.strictObject({
  ...needed,
  partnerId: uuid(),
  /** Without it the default currency alone. */
  currencies: currencies().optional(),
  /** Without it as the mode of KYC has it. */
  externalKyc: yesOrNo().optional(),
  state: z.literal('ACTIVE', 'must be ACTIVE').default('ACTIVE'),
  sandbox: chosen.sandbox.default(PROGRAMME_DEFAULTS.sandbox),
  enforcePartnerBalance: chosen.enforcePartnerBalance.default(PROGRAMME_DEFAULTS.enforcePartnerBalance),
  sharedAuthorization: chosen.sharedAuthorization.default(PROGRAMME_DEFAULTS.sharedAuthorization),
  fxMode: chosen.fxMode.default(PROGRAMME_DEFAULTS.fxMode),
  autoCreateBalance: chosen.autoCreateBalance.default(PROGRAMME_DEFAULTS.autoCreateBalance),
  autoCorporation: chosen.autoCorporation.default(PROGRAMME_DEFAULTS.autoCorporation),
  externalKyb: chosen.externalKyb.default(PROGRAMME_DEFAULTS.externalKyb),
  corporateHolderKyc: chosen.corporateHolderKyc.default(PROGRAMME_DEFAULTS.corporateHolderKyc),
  kycProvider: chosen.kycProvider.default(PROGRAMME_DEFAULTS.kycProvider),
  kycReviewRoles: chosen.kycReviewRoles.default([...PROGRAMME_DEFAULTS.kycReviewRoles]),
  kycTimings: chosen.kycTimings.default(PROGRAMME_DEFAULTS.kycTimings),
  minAge: chosen.minAge.default(PROGRAMME_DEFAULTS.minAge),
  timezone: chosen.timezone.default(PROGRAMME_DEFAULTS.timezone),
  holdDays: chosen.holdDays.default(PROGRAMME_DEFAULTS.holdDays),
  allowPartialApproval: chosen.allowPartialApproval.default(PROGRAMME_DEFAULTS.allowPartialApproval),
  enrolment: chosen.enrolment.default(PROGRAMME_DEFAULTS.enrolment),
  stepUp: chosen.stepUp.default(PROGRAMME_DEFAULTS.stepUp),
  sessionMinutes: chosen.sessionMinutes.default(PROGRAMME_DEFAULTS.sessionMinutes),
  appPinLength: chosen.appPinLength.default(PROGRAMME_DEFAULTS.appPinLength),
  manyCardsThreshold: chosen.manyCardsThreshold.default(PROGRAMME_DEFAULTS.manyCardsThreshold),
  screeningThreshold: chosen.screeningThreshold.default(PROGRAMME_DEFAULTS.screeningThreshold),
  extraLockReasons: chosen.extraLockReasons.default([]),
});

const changedProgramme = z
  .strictObject({ ...needed, ...chosen, currencies: currencies(), externalKyc: yesOrNo() })
  .partial()
  .extend({ version: z.int('must be a whole number').min(1, 'must be at least 1') });

const programmeSchema = z
  .strictObject({
    programmeId: uuid(),
    partnerId: uuid(),
    ...needed,
    ...chosen,
    kycReviewRoles: z.array(z.string()),
    defaultCurrency: currencyCode(),
    currencies: z.array(currencyCode()),
    externalKyc: yesOrNo(),
    version: z.int(),
  })
  .openapi('Programme');

const toWire = (row: ProgrammeRow): z.input<typeof programmeSchema> => {
  const { currencies: enabled, kycReviewRoles, extraLockReasons, ...settings } = settingsOf(row);
  return {
    programmeId: row.public_id,
    partnerId: row.partnerPublicId,
    ...settings,
    currencies: [...enabled],
    kycReviewRoles: [...kycReviewRoles],
    extraLockReasons: [...extraLockReasons],
    version: row.version,
  };
};

const list = adminRoute({
  ...reading,
  operation: 'listProgrammes',
  path: '/programmes',
  summary: 'List programmes in scope',
  query: z.strictObject({ ...page, partnerId: uuid().optional() }),
  answers: { 200: { description: 'programmes, newest first', schema: listOf(programmeSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, partnerId } = call.query;
    const { partnerId: own } = call.principal;
    const body = await call.atomically((trx) =>
      operatorPage(call, {
        operation: 'listProgrammes',
        filters: { partnerId },
        page: { limit, cursor },
        read: (before, most) =>
          listProgrammeRows(trx, {
            own,
            partnerId,
            beforeId: before === undefined ? undefined : Number(before),
            limit: most,
          }),
        positionOf: (row) => row.programme_id,
        toItem: toWire,
      }),
    );
    return { status: 200, body };
  },
});

const read = adminRoute({
  ...reading,
  operation: 'readProgramme',
  path: '/programmes/{programmeId}',
  summary: 'Read a programme',
  params,
  answers: { 200: { description: 'the programme', schema: programmeSchema } },
  refusals: ['PROGRAMME_NOT_FOUND'],
  handle: async (call) => {
    const { partnerId: own } = call.principal;
    const row = await call.atomically((trx) => findProgrammeRow(trx, call.params.programmeId, own));
    if (row === undefined) throw new Refusal('PROGRAMME_NOT_FOUND', 'There is no such programme.');
    return { status: 200, body: toWire(row) };
  },
});

const providersOf = ({ kycProviders }: Services): string[] => kycProviders.map((one) => one.code);

const create = adminRoute({
  ...writing,
  operation: 'createProgramme',
  method: 'POST',
  path: '/programmes',
  summary: 'Add a programme to a partner; takes two',
  body: newProgramme,
  fourEyes: {
    kind: 'PARTNER_CHANGE',
    summary: ({ body }) => `Add the programme ${body.issuerCode}`,
    subject: ({ body }) => ({ type: 'programme', id: body.issuerCode }),
  },
  answers: { 201: { description: 'the programme, once approved', schema: programmeSchema }, 202: waiting },
  refusals: [
    'PARTNER_NOT_FOUND',
    'ISSUER_CODE_TAKEN',
    'PROGRAMME_INVALID',
    'SHARED_AUTHORIZATION_NOT_ALLOWED',
    'APPROVAL_PENDING',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { partnerId, ...given } = call.body;
      const settings = {
        ...given,
        currencies: given.currencies ?? [given.defaultCurrency],
        externalKyc: given.externalKyc ?? given.kycMode === 'EXTERNAL',
      };
      const row = await createProgramme(trx, partnerId, settings, providersOf(call.services));
      return { status: 201, body: toWire(row) };
    }),
});

const change = adminRoute({
  ...writing,
  operation: 'changeProgramme',
  method: 'PUT',
  path: '/programmes/{programmeId}',
  summary: 'Change settings of a programme, or close it; takes two',
  description:
    'Members that are not sent stay. A CLOSED programme takes no new users, companies, applications, balances and ' +
    'cards; what is there goes on, and ACTIVE opens it again.',
  params,
  body: changedProgramme,
  fourEyes: {
    kind: 'PARTNER_CHANGE',
    summary: ({ body }) => (body.state === 'CLOSED' ? 'Close a programme' : 'Change a programme'),
    subject: ({ params: { programmeId } }) => ({ type: 'programme', id: programmeId }),
  },
  answers: { 200: { description: 'the programme, once approved', schema: programmeSchema }, 202: waiting },
  refusals: [
    'PROGRAMME_NOT_FOUND',
    'VERSION_CONFLICT',
    'PROGRAMME_FIXED',
    'ISSUER_CODE_TAKEN',
    'PROGRAMME_INVALID',
    'SHARED_AUTHORIZATION_NOT_ALLOWED',
    'APPROVAL_PENDING',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { version, ...changes } = call.body;
      const { programmeId } = call.params;
      const row = await changeProgramme(trx, programmeId, version, changes, providersOf(call.services));
      return { status: 200, body: toWire(row) };
    }),
});

export const programmes = [list, read, create, change];
