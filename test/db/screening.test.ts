import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { currentPersons } from '../../activities/database/listed-persons.ts';
import { matchesAmong, screen } from '../../activities/database/screening.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import { type Customer, lockCustomer, personalPlace, readCustomer } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import type { Programme } from '../../db/partners.ts';
import { replaceScreeningList } from '../../db/screening-lists.ts';
import type { ScreeningEntry } from '../../domain/screening.ts';
import { sealPersonal } from '../../vault/personal-data.ts';
import { aCustomer, aPerson, aProgramme, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { testVault } from '../support/vault.ts';

const vault = testVault();
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let programme: Programme;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  programme = await aProgramme(owner);
});
afterAll(async () => {
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
});

const load = (...names: string[]) =>
  atomically(engine, engineCaller, (trx) =>
    replaceScreeningList(
      trx,
      'EU',
      names.map((name, at) => ({
        entryId: `e-${at}`,
        kind: 'PERSON',
        normalizedNames: [name],
        birthYears: [],
      })),
    ),
  );

beforeEach(() => load('boris example'));

const screening = () => ({ db: engine, vault, caller: engineCaller });

describe('screening', () => {
  /** Screens a customer; `meanwhile` is done by somebody else between comparing and storing. */
  async function screened({ customerId }: Customer, meanwhile: () => Promise<unknown> = async () => {}) {
    let held = 0;
    const hold = async (trx: Trx) => {
      held += 1;
      if (held === 2) await meanwhile();
      return { customer: await lockCustomer(trx, 'every', customerId), verification: null };
    };
    const hits = await screen(screening(), hold, async (_trx, _screened, found) => found);
    return { held, open: hits?.open };
  }

  it('compares with nobody’s row held, and notes when it was done', async () => {
    const customer = await aCustomer(engine, vault, programme, {
      person: aPerson({ firstName: 'Boris', lastName: 'Example' }),
    });
    expect(customer.screenedAt).toBeNull();
    const touch = () =>
      owner
        .updateTable('customers')
        .set({ external_id: `touched-${customer.customerId}` })
        .where('customer_id', '=', customer.customerId)
        .execute();
    expect(await screened(customer, touch)).toEqual({ held: 2, open: true });
    const { screenedAt } = await atomically(engine, engineCaller, (trx) =>
      readCustomer(trx, 'every', customer.customerId),
    );
    expect(screenedAt).toBeInstanceOf(Date);
  });

  it('begins again when the person was given another name meanwhile', async () => {
    const customer = await aCustomer(engine, vault, programme);
    const { subjectKey, customerId } = customer;
    const person = aPerson({ firstName: 'Boris', lastName: 'Example' });
    const personal = sealPersonal(vault, subjectKey, personalPlace(subjectKey.subjectId), person);
    const rename = () =>
      owner.updateTable('customers').set({ personal }).where('customer_id', '=', customerId).execute();
    expect(await screened(customer, rename)).toEqual({ held: 4, open: true });
  });

  it('begins again when a list was loaded meanwhile', async () => {
    const customer = await aCustomer(engine, vault, programme);
    expect(await screened(customer, () => load('ada nowak'))).toEqual({ held: 4, open: true });
  });
});

describe('lists in memory', () => {
  const euList = async () => (await currentPersons(engine)).lists.find((one) => one.length > 0);

  it('are read once, however many ask, and anew when a version has come', async () => {
    const [first, second] = await Promise.all([euList(), euList()]);
    expect(first?.map((one) => one.normalizedNames)).toEqual([['boris example']]);
    expect(second).toBe(first);
    expect(await euList()).toBe(first);
    await load('ada nowak', 'boris example');
    expect((await euList())?.map((one) => one.normalizedNames)).toEqual([['ada nowak'], ['boris example']]);
  });

  it('leave room for other work while somebody is compared with them', async () => {
    const entries = Array.from({ length: 20_000 }, (_, at): ScreeningEntry => ({
      listCode: 'UN',
      entryId: `u-${at}`,
      normalizedNames: [at === 15_000 ? 'ada nowak' : `nobody number ${at}`],
      birthYears: [],
      fingerprint: 'f',
    }));
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 0);
    const person = { firstName: 'Ada', lastName: 'Nowak', birthYear: 1990 };
    const matches = await matchesAmong(person, { lists: [entries] }, 0.92);
    clearInterval(ticking);
    expect(matches.map((one) => one.entryId)).toEqual(['u-15000']);
    expect(turns).toBeGreaterThan(3);
  });
});
