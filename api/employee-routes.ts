import { listCards } from '../db/cards.ts';
import { holdCorporation, readCorporation } from '../db/corporations.ts';
import { listEmployees, readEmployee, removeEmployee, updateEmployee } from '../db/employees.ts';
import { EMPLOYEE_STATES } from '../domain/corporation.ts';
import { presentCards } from './cards.ts';
import { hire } from './employees.ts';
import { readPage } from './pagination.ts';
import { type Door, doorOf, operationAt } from './door.ts';
import type { Route } from './route.ts';
import { cardSchema } from './schemas/card.ts';
import {
  employeeChangeBody,
  employeeSchema,
  newEmployeeBody,
  toEmployeeAnswer,
} from './schemas/corporation.ts';
import { listOf, page, uuid, word, z } from './schemas/shared.ts';
import { NEW_USER_REFUSALS } from './users.ts';

const ofCorporation = z.strictObject({ dcCorporationId: uuid() });
const ofEmployee = z.strictObject({ dcCorporationId: uuid(), employeeId: uuid() });
const missing = ['CORPORATION_NOT_FOUND', 'EMPLOYEE_NOT_FOUND'] as const;

/** The calls about the employees of corporations (onboarding 4). */
export function employeeRoutes<Principal>(door: Door<Principal>): Route[] {
  const add = door.route({
    ...doorOf(door, 'corporations.write'),
    operation: operationAt(door, 'addEmployee'),
    method: 'POST',
    path: '/corporations/{dcCorporationId}/employees',
    summary: 'Add an employee: a user who is there, or one made in the same commit',
    idempotency: 'accepted',
    params: ofCorporation,
    body: newEmployeeBody,
    answers: { 201: { description: 'the employee', schema: employeeSchema } },
    refusals: [
      'CORPORATION_NOT_FOUND',
      'USER_NOT_FOUND',
      'EMPLOYEE_EXISTS',
      'STATE_CONFLICT',
      ...NEW_USER_REFUSALS,
    ],
    handle: (call) =>
      call.once(async (trx) => {
        const { dcCorporationId } = call.params;
        const held = await holdCorporation(trx, door.scope(call.principal), dcCorporationId);
        const programme = door.programmeOf(call.principal, held.programmeId);
        const employee = await hire(trx, call.services.vault, programme, held, call.body);
        return {
          status: 201,
          body: toEmployeeAnswer(employee),
          location: `${door.home}/corporations/${dcCorporationId}/employees/${employee.employeeId}`,
        };
      }),
  });

  const list = door.route({
    ...doorOf(door, 'corporations.read'),
    operation: operationAt(door, 'listEmployees'),
    method: 'GET',
    path: '/corporations/{dcCorporationId}/employees',
    summary: 'List the employees of a corporation',
    idempotency: 'ignored',
    params: ofCorporation,
    query: z.strictObject({ ...page, state: word(EMPLOYEE_STATES).optional() }),
    answers: { 200: { description: 'employees, newest first', schema: listOf(employeeSchema) } },
    refusals: ['CORPORATION_NOT_FOUND', 'INVALID_CURSOR'],
    handle: async (call) => {
      const { limit, cursor, state } = call.query;
      const { dcCorporationId } = call.params;
      const body = await call.atomically(async (trx) => {
        await readCorporation(trx, door.scope(call.principal), dcCorporationId);
        return await readPage(
          call.services.vault,
          {
            principal: door.reader(call.principal),
            operation: operationAt(door, 'listEmployees'),
            filters: { dcCorporationId, state },
          },
          { limit, cursor },
          call.services.nowMs(),
          (before, most) => listEmployees(trx, dcCorporationId, { state, before, limit: most }),
          (employee) => employee.employeeId,
          toEmployeeAnswer,
        );
      });
      return { status: 200, body };
    },
  });

  const read = door.route({
    ...doorOf(door, 'corporations.read'),
    operation: operationAt(door, 'readEmployee'),
    method: 'GET',
    path: '/corporations/{dcCorporationId}/employees/{employeeId}',
    summary: 'Read an employee',
    idempotency: 'ignored',
    params: ofEmployee,
    answers: { 200: { description: 'the employee', schema: employeeSchema } },
    refusals: missing,
    handle: async (call) => {
      const { dcCorporationId, employeeId } = call.params;
      const employee = await call.atomically(async (trx) => {
        await readCorporation(trx, door.scope(call.principal), dcCorporationId);
        return await readEmployee(trx, dcCorporationId, employeeId);
      });
      return { status: 200, body: toEmployeeAnswer(employee) };
    },
  });

  const update = door.route({
    ...doorOf(door, 'corporations.write'),
    operation: operationAt(door, 'updateEmployee'),
    method: 'PUT',
    path: '/corporations/{dcCorporationId}/employees/{employeeId}',
    summary: 'Change an employee; cards of one who is suspended decline',
    idempotency: 'accepted',
    params: ofEmployee,
    body: employeeChangeBody,
    answers: { 200: { description: 'the employee', schema: employeeSchema } },
    refusals: [...missing, 'STATE_CONFLICT'],
    handle: (call) =>
      call.once(async (trx) => {
        const ids = door.scope(call.principal);
        const held = await holdCorporation(trx, ids, call.params.dcCorporationId);
        const { role, position, state } = call.body;
        const changed = await updateEmployee(trx, held, call.params.employeeId, {
          ...(role === undefined ? {} : { role }),
          ...(position === undefined ? {} : { position }),
          ...(state === undefined ? {} : { state }),
        });
        return { status: 200, body: toEmployeeAnswer(changed) };
      }),
  });

  const remove = door.route({
    ...doorOf(door, 'corporations.write'),
    operation: operationAt(door, 'removeEmployee'),
    method: 'DELETE',
    path: '/corporations/{dcCorporationId}/employees/{employeeId}',
    summary: "Remove an employee; their cards of this corporation's balances are locked for good",
    idempotency: 'accepted',
    params: ofEmployee,
    answers: { 204: { description: 'removed, or already so' } },
    refusals: missing,
    handle: (call) =>
      call.once(async (trx) => {
        const ids = door.scope(call.principal);
        const held = await holdCorporation(trx, ids, call.params.dcCorporationId);
        await removeEmployee(trx, held, call.params.employeeId);
        return { status: 204 };
      }),
  });

  const listCardsOf = door.route({
    ...doorOf(door, 'corporations.read'),
    operation: operationAt(door, 'listEmployeeCards'),
    method: 'GET',
    path: '/corporations/{dcCorporationId}/employees/{employeeId}/cards',
    summary: "List the cards of an employee on the corporation's balances",
    idempotency: 'ignored',
    params: ofEmployee,
    query: z.strictObject(page),
    answers: { 200: { description: 'cards, newest first', schema: listOf(cardSchema) } },
    refusals: [...missing, 'INVALID_CURSOR'],
    handle: async (call) => {
      const { dcCorporationId, employeeId } = call.params;
      const ids = door.scope(call.principal);
      const { vault, nowMs } = call.services;
      const body = await call.atomically(async (trx) => {
        await readCorporation(trx, ids, dcCorporationId);
        const { customerId } = await readEmployee(trx, dcCorporationId, employeeId);
        const found = await readPage(
          vault,
          {
            principal: door.reader(call.principal),
            operation: operationAt(door, 'listEmployeeCards'),
            filters: { dcCorporationId, employeeId },
          },
          call.query,
          nowMs(),
          (before, limit) =>
            listCards(trx, {
              programmeIds: ids,
              customerId,
              corporationId: dcCorporationId,
              before: before === undefined ? undefined : Number(before),
              limit,
            }),
          (card) => card.card_id,
          (card) => card,
        );
        return await presentCards(trx, vault, found);
      });
      return { status: 200, body };
    },
  });

  return [add, list, read, update, remove, listCardsOf];
}
