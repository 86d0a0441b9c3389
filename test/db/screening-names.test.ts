import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { foldListedNames } from '../../db/migrations/0030-screening.ts';
import { replaceScreeningList } from '../../db/screening-lists.ts';
import { customerSubject, recordHits } from '../../db/screening.ts';
import { normalizeName } from '../../domain/screening.ts';
import { aCustomer, aProgramme, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { testVault } from '../support/vault.ts';

let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
});
afterAll(async () => {
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
});

/** As a migration sees the database: without the tables of this release. */
const asMigration = (db: Kysely<Database>) => db as unknown as Kysely<unknown>;

const load = (names: readonly (readonly string[])[]) =>
  atomically(engine, engineCaller, (trx) =>
    replaceScreeningList(
      trx,
      'UN',
      names.map((normalizedNames, at) => ({
        entryId: `u-${at}`,
        kind: at === 0 ? 'ENTITY' : 'PERSON',
        normalizedNames,
        birthYears: at === 0 ? [] : [1970, 1971],
      })),
    ),
  );

const entries = () =>
  owner
    .selectFrom('screening_entries')
    .select(['entry_id', 'normalized_names', 'fingerprint'])
    .orderBy('entry_id')
    .execute();

describe('names of lists that an earlier release loaded', () => {
  // As that release compared them: sorted by the letters as they were.
  const EARLIER = [
    ['ødegard øst', 'oslo'],
    ['lukasz nowak', 'nowak łukasz', 'straße æon', 'omer ılıca'],
    ['name plain'],
  ];

  it('become what a list loaded now has, names and fingerprints', async () => {
    await load(EARLIER);
    await foldListedNames(asMigration(owner));
    const folded = await entries();
    await load(EARLIER.map((names) => [...new Set(names.map(normalizeName))]));
    expect(folded).toEqual(await entries());
    expect(folded[1]?.normalized_names).toEqual(['lukasz nowak', 'aeon strasse', 'ilica omer']);
  });

  it('leave a hit that was decided on them decided', async () => {
    await load(EARLIER);
    const programme = await aProgramme(owner);
    const customer = await aCustomer(engine, testVault(), programme);
    const match = async () => {
      const [, entry] = await entries();
      const { partnerId, customerId } = customer;
      return await atomically(engine, engineCaller, (trx) =>
        recordHits(trx, customerSubject(customerId), { partnerId, verificationId: null }, [
          { listCode: 'UN', entryId: 'u-1', score: 1, fingerprint: entry?.fingerprint ?? '' },
        ]),
      );
    };
    expect(await match()).toBe(1);
    await owner.updateTable('screening_hits').set({ state: 'FALSE_POSITIVE' }).execute();
    await foldListedNames(asMigration(owner));
    expect(await match()).toBe(0);
  });
});
