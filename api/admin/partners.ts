import { changePartner, createPartner, setPartnerState } from '../../db/partner-changes.ts';
import { findPartnerRow, listPartners, type PartnerRow } from '../../db/partner-records.ts';
import { Refusal } from '../../domain/errors.ts';
import { isAddressRange } from '../address-list.ts';
import { adminRoute } from '../operator-principal.ts';
import { email, personName } from '../schemas/customer.ts';
import { listOf, page, text, uuid, z } from '../schemas/shared.ts';
import { operatorPage } from './lists.ts';
import { waiting } from './waiting.ts';

const reading = { permission: 'partners.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;
const writing = { permission: 'partners.write', jwe: 'open', idempotency: 'accepted' } as const;
const params = z.strictObject({ partnerId: uuid() });

const contact = z.strictObject({ name: personName(), email: email() });

const members = {
  name: text(1, 64),
  legalName: text(1, 64).refine((value) => !value.includes(','), 'must have no comma'),
  contacts: z.array(contact).max(20, 'must be at most 20'),
  ipAllowList: z.array(z.string().refine(isAddressRange, 'must be an address or a range')).max(100),
  pinnedPublicKeys: z
    .array(z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be a thumbprint of RFC 7638'))
    .max(20),
  partnerRate: z.int().min(1, 'must be from 1 to 10000').max(10_000, 'must be from 1 to 10000'),
  legacyIntegrations: z.boolean({ error: 'must be true or false' }),
};

const partnerSchema = z
  .strictObject({
    partnerId: uuid(),
    code: z.string(),
    state: z.enum(['ACTIVE', 'SUSPENDED']),
    name: z.string(),
    legalName: z.string(),
    contacts: z.array(z.strictObject({ name: z.string(), email: z.string() })),
    ipAllowList: z.array(z.string()),
    pinnedPublicKeys: z.array(z.string()),
    partnerRate: z.int(),
    legacyIntegrations: z.boolean(),
    version: z.int(),
  })
  .openapi('Partner');

const toWire = (row: PartnerRow): z.input<typeof partnerSchema> => ({
  partnerId: row.public_id,
  code: row.code,
  state: row.state,
  name: row.name,
  legalName: row.legal_name,
  contacts: [...row.contacts],
  ipAllowList: row.ip_allow_list,
  pinnedPublicKeys: row.pinned_public_keys,
  partnerRate: row.partner_rate,
  legacyIntegrations: row.legacy_integrations,
  version: row.version,
});

const list = adminRoute({
  ...reading,
  operation: 'listPartners',
  path: '/partners',
  summary: 'List partners; to operators of a partner it alone',
  query: z.strictObject(page),
  answers: { 200: { description: 'partners, newest first', schema: listOf(partnerSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { partnerId: own } = call.principal;
    const body = await call.atomically((trx) =>
      operatorPage(call, {
        operation: 'listPartners',
        filters: {},
        page: call.query,
        read: (before, limit) =>
          listPartners(trx, { own, beforeId: before === undefined ? undefined : Number(before), limit }),
        positionOf: (row) => row.partner_id,
        toItem: toWire,
      }),
    );
    return { status: 200, body };
  },
});

const read = adminRoute({
  ...reading,
  operation: 'readPartner',
  path: '/partners/{partnerId}',
  summary: 'Read a partner',
  params,
  answers: { 200: { description: 'the partner', schema: partnerSchema } },
  refusals: ['PARTNER_NOT_FOUND'],
  handle: async (call) => {
    const { principal } = call;
    const row = await call.atomically((trx) =>
      findPartnerRow(trx, call.params.partnerId, principal.partnerId),
    );
    if (row === undefined) throw new Refusal('PARTNER_NOT_FOUND', 'There is no such partner.');
    return { status: 200, body: toWire(row) };
  },
});

const changed = { 200: { description: 'the partner, once approved', schema: partnerSchema }, 202: waiting };

const create = adminRoute({
  ...writing,
  operation: 'createPartner',
  method: 'POST',
  path: '/partners',
  summary: 'Add a partner; takes two',
  body: z.strictObject({
    ...members,
    code: z.string().regex(/^[a-z0-9-]{2,31}$/, 'must be 2 to 31 of a-z, 0-9 and -'),
    legacyIntegrations: members.legacyIntegrations.default(true),
    partnerRate: members.partnerRate.default(100),
    contacts: members.contacts.default([]),
    ipAllowList: members.ipAllowList.default([]),
    pinnedPublicKeys: members.pinnedPublicKeys.default([]),
  }),
  fourEyes: {
    kind: 'PARTNER_CHANGE',
    summary: ({ body }) => `Add the partner ${body.code}`,
    subject: ({ body }) => ({ type: 'partner', id: body.code }),
  },
  answers: { 201: { description: 'the partner, once approved', schema: partnerSchema }, 202: waiting },
  refusals: ['CODE_TAKEN', 'APPROVAL_PENDING'],
  handle: (call) =>
    call.once(async (trx) => {
      const { code, ...values } = call.body;
      return { status: 201, body: toWire(await createPartner(trx, code, values)) };
    }),
});

const change = adminRoute({
  ...writing,
  operation: 'changePartner',
  method: 'PUT',
  path: '/partners/{partnerId}',
  summary: 'Replace what is kept of a partner; takes two',
  params,
  body: z.strictObject({ ...members, version: z.int().min(1, 'must be at least 1') }),
  fourEyes: {
    kind: 'PARTNER_CHANGE',
    summary: () => 'Change a partner',
    subject: ({ params: { partnerId } }) => ({ type: 'partner', id: partnerId }),
  },
  answers: changed,
  refusals: ['PARTNER_NOT_FOUND', 'VERSION_CONFLICT', 'APPROVAL_PENDING'],
  handle: (call) =>
    call.once(async (trx) => {
      const { version, ...values } = call.body;
      return { status: 200, body: toWire(await changePartner(trx, call.params.partnerId, version, values)) };
    }),
});

const switching = (operation: string, word: 'suspend' | 'resume', state: 'SUSPENDED' | 'ACTIVE') =>
  adminRoute({
    ...writing,
    operation,
    method: 'POST',
    path: `/partners/{partnerId}/${word}`,
    summary: `${word === 'suspend' ? 'Refuse all calls of' : 'Take calls again of'} a partner; takes two`,
    params,
    body: z.strictObject({ reason: text(3, 500) }),
    fourEyes: {
      kind: 'PARTNER_CHANGE',
      summary: () => `${word === 'suspend' ? 'Suspend' : 'Resume'} a partner`,
      subject: ({ params: { partnerId } }) => ({ type: 'partner', id: partnerId }),
    },
    answers: changed,
    refusals: ['PARTNER_NOT_FOUND', 'STATE_CONFLICT', 'APPROVAL_PENDING'],
    handle: (call) =>
      call.once(async (trx) => {
        const row = await setPartnerState(trx, call.params.partnerId, state, call.body.reason);
        return { status: 200, body: toWire(row) };
      }),
  });

export const partners = [
  list,
  read,
  create,
  change,
  switching('suspendPartner', 'suspend', 'SUSPENDED'),
  switching('resumePartner', 'resume', 'ACTIVE'),
];
