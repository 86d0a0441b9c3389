import type { Trx } from '../../db/atomically.ts';
import { nowOf } from '../../db/atomically.ts';
import { audit } from '../../db/audit-log.ts';
import { listBalances } from '../../db/balances.ts';
import { listCards } from '../../db/cards.ts';
import { listSessions } from '../../db/customer-sessions.ts';
import { type Customer, listCustomers, lockCustomer, readCustomer } from '../../db/customers.ts';
import { listDevices } from '../../db/devices.ts';
import { locksOf } from '../../db/transactional-locks.ts';
import { listVerifications } from '../../db/verifications.ts';
import { KYC_STATES, type PersonalData } from '../../domain/customer.ts';
import type { OperatorRole } from '../../domain/operator.ts';
import { presentCard } from '../cards.ts';
import {
  adminRoute,
  type OperatorPrincipal,
  operatorProgrammeIds,
  programmeOfCode,
  programmeOfResource,
} from '../operator-principal.ts';
import { balanceSchema, toBalance } from '../schemas/balance.ts';
import { cardSchema } from '../schemas/card.ts';
import {
  customerChangeBody,
  customerMembers,
  customerSchema,
  deletedCustomerMembers,
  email,
  newCustomerBody,
  phone,
} from '../schemas/customer.ts';
import { issuerCode, listOf, page, pathIntegerId, text, uuid, word, z } from '../schemas/shared.ts';
import { toLockAnswer, transactionalLockSchema } from '../schemas/transactional-lock.ts';
import { toVerificationAnswer, verificationSchema } from '../schemas/verification.ts';
import type { Services } from '../services.ts';
import {
  CHANGED_USER_REFUSALS,
  changeUser,
  createUser,
  NEW_USER_REFUSALS,
  presentUser,
  presentUsers,
  userFilter,
} from '../users.ts';
import { pairedDeviceSchema, toPairedDevice, toUserSession, userSessionSchema } from './customer-access.ts';
import { operatorPage, programmesNamed } from './lists.ts';

const MOST_SHOWN = 100;

const reading = { permission: 'customers.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;
const writing = { permission: 'customers.write', jwe: 'open', idempotency: 'accepted' } as const;
const ofCustomer = z.strictObject({ customerId: pathIntegerId() });

const list = adminRoute({
  ...reading,
  operation: 'adminListCustomers',
  path: '/customers',
  summary: 'List users; Employees see no birth dates',
  query: z.strictObject({
    ...page,
    programme: uuid().optional(),
    phone: phone().optional(),
    email: email().optional(),
    externalId: text(1, 64).optional(),
    state: word(['UNVERIFIED', 'VERIFIED', 'LOCKED', 'DELETED']).optional(),
    kyc: word(KYC_STATES).optional(),
  }),
  answers: { 200: { description: 'users, newest first', schema: listOf(customerSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const { vault } = call.services;
    const { programme, ...named } = filters;
    const filter = userFilter(vault, named);
    const scope = programmesNamed(call.principal, programme);
    const body = await call.atomically(async (trx) => {
      const { items, nextCursor } = await operatorPage(call, {
        operation: 'adminListCustomers',
        filters,
        page: { limit, cursor },
        read: (before, most) =>
          listCustomers(trx, scope, filter, {
            limit: most,
            beforeId: before === undefined ? null : Number(before),
          }),
        positionOf: (customer) => customer.customerId,
        toItem: (customer) => customer,
      });
      return { items: await presentUsers(trx, vault, items, shownTo(call.principal.role)), nextCursor };
    });
    return { status: 200, body };
  },
});

/** What the detail has beside the user: the newest hundred of each. */
const belongings = {
  balances: z.array(balanceSchema),
  cards: z.array(cardSchema),
  devices: z.array(pairedDeviceSchema),
  sessions: z.array(userSessionSchema),
  locks: z.array(transactionalLockSchema),
  verifications: z.array(verificationSchema),
};

const detailSchema = z
  .union([
    z.strictObject({ ...customerMembers, ...belongings }),
    z.strictObject({ ...deletedCustomerMembers, ...belongings }),
  ])
  .openapi('UserDetail');

const read = adminRoute({
  ...reading,
  operation: 'adminReadCustomer',
  path: '/customers/{customerId}',
  summary: 'Read a user with what belongs to them; Employees see no birth date',
  params: ofCustomer,
  answers: { 200: { description: 'the user', schema: detailSchema } },
  refusals: ['USER_NOT_FOUND'],
  handle: async (call) => {
    const { customerId } = call.params;
    const { principal, services } = call;
    const body = await call.atomically(async (trx) => {
      const customer = await readCustomer(trx, operatorProgrammeIds(principal), customerId);
      const { partnerId } = customer;
      await audit(trx, { action: 'customer.read', objectType: 'customer', objectId: customerId, partnerId });
      return {
        ...(await presentUser(trx, services.vault, customer, shownTo(principal.role))),
        ...(await belongingsOf(trx, services, principal, customer)),
      };
    });
    return { status: 200, body };
  },
});

async function belongingsOf(trx: Trx, { vault }: Services, principal: OperatorPrincipal, customer: Customer) {
  const { customerId, programmeId } = customer;
  const programmeIds = [programmeId];
  const limit = MOST_SHOWN;
  const { sessionMinutes } = programmeOfResource(principal, programmeId);
  const balances = await listBalances(trx, { programmeIds, customerId, limit });
  const cards = await listCards(trx, { programmeIds, customerId, limit });
  const shownCards = [];
  for (const card of cards) shownCards.push(await presentCard(trx, vault, card));
  const devices = await listDevices(trx, customerId);
  const sessions = await listSessions(trx, customerId, sessionMinutes);
  const locks = await locksOf(trx, customer);
  const verifications = await listVerifications(trx, customerId, { limit, beforeId: null });
  return {
    balances: balances.map((balance) => toBalance(balance, nowOf(trx))),
    cards: shownCards,
    devices: devices.slice(0, limit).map(toPairedDevice),
    sessions: sessions.slice(0, limit).map(toUserSession),
    locks: locks.map(toLockAnswer),
    verifications: verifications.map(toVerificationAnswer),
  };
}

const create = adminRoute({
  ...writing,
  operation: 'adminCreateCustomer',
  method: 'POST',
  path: '/customers',
  summary: 'Add a user to a programme',
  body: newCustomerBody.extend({ issuerCode: issuerCode() }).openapi('NewUserOfProgramme'),
  answers: { 201: { description: 'the user', schema: customerSchema } },
  refusals: ['PROGRAMME_NOT_FOUND', ...NEW_USER_REFUSALS],
  handle: (call) =>
    call.once(async (trx) => {
      const { vault } = call.services;
      const { issuerCode: code, ...person } = call.body;
      const programme = programmeOfCode(call.principal, code);
      const { customer } = await createUser(trx, vault, programme, person);
      return {
        status: 201,
        body: await presentUser(trx, vault, customer),
        location: `/admin/customers/${customer.customerId}`,
      };
    }),
});

const change = adminRoute({
  ...writing,
  operation: 'adminChangeCustomer',
  method: 'PUT',
  path: '/customers/{customerId}',
  summary: 'Change a user',
  params: ofCustomer,
  body: customerChangeBody.omit({ userId: true }),
  answers: { 200: { description: 'the user', schema: customerSchema } },
  refusals: CHANGED_USER_REFUSALS,
  handle: (call) =>
    call.once(async (trx) => {
      const { vault } = call.services;
      const { principal } = call;
      const customer = await lockCustomer(trx, operatorProgrammeIds(principal), call.params.customerId);
      const programme = programmeOfResource(principal, customer.programmeId);
      const changed = await changeUser(trx, vault, programme, customer, call.body);
      return { status: 200, body: await presentUser(trx, vault, changed) };
    }),
});

const MASKED_DATE = '****-**-**';

/** What a role sees of a person (administration 4.2). */
const shownTo =
  (role: OperatorRole) =>
  (personal: PersonalData): PersonalData =>
    role === 'Employee' ? { ...personal, birthDate: MASKED_DATE } : personal;

export const customers = [list, read, create, change];
