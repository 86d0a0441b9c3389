import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authorizer } from '../../activities/authorization/authorizer.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import { deleteCorporation, lockCorporation, unlockCorporation } from '../../db/corporation-states.ts';
import {
  type Corporation,
  type CorporationChange,
  findCorporation,
  holdCorporation,
  listCorporations,
  updateCorporation,
} from '../../db/corporations.ts';
import { addEmployee, removeEmployee, updateEmployee } from '../../db/employees.ts';
import { findProgramme, type Programme } from '../../db/partners.ts';
import type { KybState } from '../../domain/corporation.ts';
import {
  aCall,
  aPurchase,
  type CardTraffic,
  openCardTraffic,
  read,
  type TestCard,
} from '../support/card-traffic.ts';
import { aCorporation, giveToCorporation } from '../support/corporations.ts';
import { aProgramme, engineCaller, partnerCaller } from '../support/customers.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { testVault } from '../support/vault.ts';

const vault = testVault();
let database: FreshDatabase;
let traffic: CardTraffic;
let authorizer: Authorizer;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  authorizer = traffic.authorizer();
});

afterAll(async () => {
  await authorizer.drain();
  await traffic.end();
  await database.drop();
});

const withSettings = async (
  programme: Programme,
  settings: { external_kyb?: boolean; corporate_holder_kyc?: 'required' | 'waived' },
): Promise<Programme> => {
  await traffic.owner
    .updateTable('programmes')
    .set((set) => ({ ...settings, version: set('version', '+', 1) }))
    .where('programme_id', '=', programme.programmeId)
    .execute();
  return (await findProgramme(traffic.owner, programme.programmeId)) as Programme;
};

/** Work on a corporation whose row is held. */
const on = <T>(corporation: Corporation, work: (trx: Trx, held: Corporation) => Promise<T>): Promise<T> =>
  atomically(traffic.engine, engineCaller, async (trx) =>
    work(trx, await holdCorporation(trx, [corporation.programmeId], corporation.corporationId)),
  );

const change = (programme: Programme, corporation: Corporation, changes: CorporationChange) =>
  on(corporation, (trx, held) => updateCorporation(trx, programme, held, changes));

const stateOf = async (corporation: Corporation) => (await on(corporation, async (_trx, held) => held)).state;

describe('a card of a corporation', () => {
  interface Scene {
    readonly corporation: Corporation;
    readonly card: TestCard;
    readonly employeeId: string;
  }

  async function scene(
    kyb: KybState = 'SUCCESS',
    kycOfHolders: 'required' | 'waived' = 'required',
  ): Promise<Scene> {
    const programme = await withSettings(await traffic.programme(), {
      external_kyb: true,
      corporate_holder_kyc: kycOfHolders,
    });
    const corporation = await aCorporation(traffic.engine, vault, programme, { kyb });
    const card = await traffic.card(programme, 10_000);
    await giveToCorporation(traffic.owner, card, corporation.corporationId);
    const { employeeId } = await on(corporation, (trx, held) =>
      addEmployee(trx, held, {
        customer: { customerId: card.customerId, state: 'VERIFIED', kyc: 'SUCCESS', screenedAt: null },
        role: 'EMPLOYEE',
        position: null,
      }),
    );
    return { corporation, card, employeeId };
  }

  const pay = async (card: TestCard) => {
    const { result, description, reason } = read(await authorizer.authorize(aPurchase(card, 100), aCall()));
    return [result, description, reason];
  };
  const APPROVED = ['APPROVED', 'APPROVED', null];
  const declined = (description: string, reason: string | null) => ['DECLINED', description, reason];

  it('pays for an active employee, and says whose money it was', async () => {
    const { card, corporation } = await scene();
    expect(await pay(card)).toEqual(APPROVED);
    const stored = await traffic.owner
      .selectFrom('transactions')
      .select(['corporation_id', 'customer_id'])
      .where('card_id', '=', card.cardId)
      .executeTakeFirstOrThrow();
    expect(stored).toEqual({ corporation_id: corporation.corporationId, customer_id: card.customerId });
  });

  it('that nobody holds pays too', async () => {
    const { card, corporation } = await scene();
    await giveToCorporation(traffic.owner, card, corporation.corporationId, 'unheld');
    expect(await pay(card)).toEqual(APPROVED);
  });

  it('declines while the corporation is locked, and for good once it is deleted', async () => {
    const { card, corporation } = await scene();
    await on(corporation, (trx, held) => lockCorporation(trx, held, Buffer.from('sealed')));
    expect(await pay(card)).toEqual(declined('CUSTOMER_NOT_FOUND', 'CORPORATION_LOCKED'));
    await on(corporation, unlockCorporation);
    expect(await pay(card)).toEqual(APPROVED);
    await traffic.owner
      .updateTable('balances')
      .set({ posted: 0, held: 0 })
      .where('balance_id', '=', card.balanceId)
      .execute();
    await on(corporation, deleteCorporation);
    expect(await pay(card)).toEqual(declined('CUSTOMER_NOT_FOUND', null));
  });

  it('declines while its employee is suspended, and is locked for good when the employee leaves', async () => {
    const { card, corporation, employeeId } = await scene();
    await on(corporation, (trx, held) => updateEmployee(trx, held, employeeId, { state: 'SUSPENDED' }));
    expect(await pay(card)).toEqual(declined('CUSTOMER_NOT_FOUND', 'EMPLOYEE_SUSPENDED'));
    await on(corporation, (trx, held) => updateEmployee(trx, held, employeeId, { state: 'ACTIVE' }));
    expect(await pay(card)).toEqual(APPROVED);
    await on(corporation, (trx, held) => removeEmployee(trx, held, employeeId));
    expect(await pay(card)).toEqual(declined('CARD_NOT_FOUND', 'CARD_LOCKED_5'));
  });

  it('of somebody whom the corporation does not employ declines', async () => {
    const { card, employeeId } = await scene();
    await traffic.owner
      .updateTable('employees')
      .set({ state: 'REMOVED' })
      .where('employee_id', '=', employeeId)
      .execute();
    expect(await pay(card)).toEqual(declined('CUSTOMER_NOT_FOUND', null));
  });

  it('waits for kyb, and stops when the partner takes it back', async () => {
    const { card, corporation } = await scene('NOT_STARTED');
    const programme = (await findProgramme(traffic.owner, corporation.programmeId)) as Programme;
    expect(await pay(card)).toEqual(declined('AML_EXCEPTION', 'KYC_NOT_COMPLETE'));
    await change(programme, corporation, { kyb: 'SUCCESS' });
    expect(await pay(card)).toEqual(APPROVED);
    await change(programme, corporation, { kyb: 'FAILED' });
    expect(await pay(card)).toEqual(declined('AML_EXCEPTION', 'KYC_NOT_COMPLETE'));
  });

  it.each([
    ['required', declined('AML_EXCEPTION', 'KYC_NOT_COMPLETE')],
    ['waived', APPROVED],
  ] as const)('of an employee without kyc: %s', async (kycOfHolders, expected) => {
    const { card } = await scene('SUCCESS', kycOfHolders);
    await traffic.owner
      .updateTable('customers')
      .set({ kyc: 'NOT_STARTED' })
      .where('customer_id', '=', card.customerId)
      .execute();
    expect(await pay(card)).toEqual(expected);
  });

  it('declines under a transactional lock of the corporation', async () => {
    const { card, corporation } = await scene();
    await traffic.owner
      .updateTable('corporations')
      .set({ transactional_locks: 1 })
      .where('corporation_id', '=', corporation.corporationId)
      .execute();
    expect(await pay(card)).toEqual(declined('AML_EXCEPTION', 'TRANSACTIONAL_LOCK'));
  });
});

describe('a corporation', () => {
  it('is stored with its contact sealed, and is unknown to other partners', async () => {
    const programme = await traffic.programme();
    const corporation = await aCorporation(traffic.engine, vault, programme);
    const stored = await traffic.owner
      .selectFrom('corporations')
      .select('contact')
      .where('corporation_id', '=', corporation.corporationId)
      .executeTakeFirstOrThrow();
    expect(stored.contact.includes('office@example.com')).toBe(false);
    const stranger = await aProgramme(traffic.owner);
    const seen = await atomically(traffic.engine, partnerCaller(stranger.partnerId), async (trx) => ({
      one: await findCorporation(trx, [stranger.programmeId], corporation.corporationId),
      list: await listCorporations(trx, [stranger.programmeId], {}, { limit: 5, beforeId: null }),
    }));
    expect(seen).toEqual({ one: undefined, list: [] });
  });

  it('has its taxId once per country, its externalId once, until it is deleted', async () => {
    const programme = await traffic.programme();
    const first = await aCorporation(traffic.engine, vault, programme, { taxId: '525', externalId: 'e' });
    const again = (changes: object) => aCorporation(traffic.engine, vault, programme, changes);
    await expect(again({ taxId: '525' })).rejects.toMatchObject({ code: 'TAX_ID_ALREADY_REGISTERED' });
    await expect(again({ externalId: 'e' })).rejects.toMatchObject({ code: 'EXTERNAL_ID_ALREADY_USED' });
    await expect(again({ taxId: '525', country: 'DE' })).resolves.toBeDefined();
    await on(first, deleteCorporation);
    await expect(again({ taxId: '525', externalId: 'e' })).resolves.toBeDefined();
  });

  it('takes its kyb from the partner only where the programme says so', async () => {
    const programme = await traffic.programme();
    const create = () => aCorporation(traffic.engine, vault, programme, { kyb: 'SUCCESS' });
    await expect(create()).rejects.toMatchObject({ code: 'EXTERNAL_KYB_NOT_ALLOWED' });
    const corporation = await aCorporation(traffic.engine, vault, programme);
    await expect(change(programme, corporation, { kyb: 'FAILED' })).rejects.toMatchObject({
      code: 'EXTERNAL_KYB_NOT_ALLOWED',
    });
    await expect(
      change(programme, corporation, { kyb: 'NOT_STARTED', name: 'Other' }),
    ).resolves.toMatchObject({
      name: 'Other',
    });
  });

  it('takes its kyb from an application, which makes one corporation', async () => {
    const programme = await traffic.programme();
    const application = { kybApplicationId: randomUUID(), kyb: 'SUCCESS' } as const;
    const first = await aCorporation(traffic.engine, vault, programme, application);
    expect(first.kyb).toBe('SUCCESS');
    await expect(aCorporation(traffic.engine, vault, programme, application)).rejects.toMatchObject({
      code: 'KYB_APPLICATION_USED',
    });
    const other = { ...application, kybApplicationId: randomUUID() };
    await expect(change(programme, first, other)).rejects.toMatchObject({ code: 'KYB_APPLICATION_USED' });
    const plain = await aCorporation(traffic.engine, vault, programme);
    expect(await change(programme, plain, other)).toMatchObject({ kyb: 'SUCCESS' });
  });

  it('is locked and unlocked as often as one likes, and neither once it is deleted', async () => {
    const corporation = await aCorporation(traffic.engine, vault, await traffic.programme());
    await on(corporation, (trx, held) => lockCorporation(trx, held, null));
    await on(corporation, (trx, held) => lockCorporation(trx, held, null));
    expect(await stateOf(corporation)).toBe('LOCKED');
    await on(corporation, unlockCorporation);
    await on(corporation, unlockCorporation);
    expect(await stateOf(corporation)).toBe('ACTIVE');
    await on(corporation, deleteCorporation);
    await on(corporation, deleteCorporation);
    expect(await stateOf(corporation)).toBe('DELETED');
    const refused = { code: 'STATE_CONFLICT' };
    await expect(on(corporation, unlockCorporation)).rejects.toMatchObject(refused);
    await expect(on(corporation, (trx, held) => lockCorporation(trx, held, null))).rejects.toMatchObject(
      refused,
    );
    const actions = await traffic.owner
      .selectFrom('audit_log')
      .select('action')
      .where('object_id', '=', corporation.corporationId)
      .orderBy('id')
      .execute();
    expect(actions.map(({ action }) => action)).toEqual([
      'corporation.created',
      'corporation.locked',
      'corporation.unlocked',
      'corporation.deleted',
    ]);
  });

  it.each([
    ['money', { posted: 1, held: 0 }, 'BALANCE_NOT_EMPTY'],
    ['a hold', { posted: 0, held: 1, forced_since: new Date() }, 'BALANCE_HAS_HOLDS'],
  ])('with %s on a balance is not deleted', async (_what, values, code) => {
    const programme = await traffic.programme();
    const corporation = await aCorporation(traffic.engine, vault, programme);
    const card = await traffic.card(programme, 0);
    await giveToCorporation(traffic.owner, card, corporation.corporationId);
    await traffic.owner
      .updateTable('balances')
      .set(values)
      .where('balance_id', '=', card.balanceId)
      .execute();
    await expect(on(corporation, deleteCorporation)).rejects.toMatchObject({ code });
    expect(await stateOf(corporation)).toBe('ACTIVE');
  });
});

describe('an employee', () => {
  it('is there once, also when added twice at the same time, and again after leaving', async () => {
    const programme = await traffic.programme();
    const corporation = await aCorporation(traffic.engine, vault, programme);
    const { customerId } = await traffic.card(programme, 0);
    const add = () =>
      on(corporation, (trx, held) =>
        addEmployee(trx, held, {
          customer: { customerId, state: 'VERIFIED', kyc: 'SUCCESS', screenedAt: null },
          role: 'ADMIN',
          position: 'CFO',
        }),
      );
    const tries = await Promise.allSettled([add(), add()]);
    const [made] = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const [refused] = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(refused).toMatchObject({ code: 'EMPLOYEE_EXISTS' });
    const { employeeId } = made ?? (await add());
    await on(corporation, (trx, held) => removeEmployee(trx, held, employeeId));
    await on(corporation, (trx, held) => removeEmployee(trx, held, employeeId));
    await expect(
      on(corporation, (trx, held) => updateEmployee(trx, held, employeeId, { role: 'OWNER' })),
    ).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    expect((await add()).employeeId).not.toBe(employeeId);
  });

  it('of another corporation is not found', async () => {
    const programme = await traffic.programme();
    const corporation = await aCorporation(traffic.engine, vault, programme);
    await expect(
      on(corporation, (trx, held) => removeEmployee(trx, held, randomUUID())),
    ).rejects.toMatchObject({ code: 'EMPLOYEE_NOT_FOUND' });
  });
});
