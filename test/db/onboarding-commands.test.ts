import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../cli/command.ts';
import { CommandFailed } from '../../cli/exit-code.ts';
import { screeningCommand } from '../../cli/operate/screening.ts';
import { transactionalLocksCommand } from '../../cli/operate/transactional-locks.ts';
import { verificationsCommand } from '../../cli/operate/verifications.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { openDefaultBalance } from '../../db/default-balance.ts';
import { tellEndingDocuments } from '../../db/document-expiry.ts';
import { newIdAt } from '../../db/ids.ts';
import { corporationLockReasons } from '../../db/corporation-states.ts';
import { lockForManyCards } from '../../db/many-cards.ts';
import { claimMails } from '../../db/messages.ts';
import type { Programme } from '../../db/partners.ts';
import { customerSubject, recordHits } from '../../db/screening.ts';
import { lockReasonsOf } from '../../db/transactional-locks.ts';
import { submitVerification } from '../../db/verifications.ts';
import { recordingIo } from '../cli/io.ts';
import { aCustomer, aProgramme, aSubmission, connect, engineCaller } from '../support/customers.ts';
import { aCorporation } from '../support/corporations.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { testVault } from '../support/vault.ts';

const vault = testVault();
const folder = mkdtempSync(join(tmpdir(), 'cardloom-onboarding-'));
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let programme: Programme;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  programme = await aProgramme(owner, { external_kyc: true });
});
afterAll(async () => {
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
  rmSync(folder, { recursive: true, force: true });
});

const asEngine = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(engine, engineCaller, work);

async function run(command: Command, ...args: string[]) {
  const environment = {
    DATABASE_URL: fresh.appUrl,
    DATABASE_ENGINE_URL: fresh.engineUrl,
    CARDLOOM_DATA_DIR: join(folder, 'data'),
  };
  const io = recordingIo(environment, folder);
  const code = await command.run(args, io).catch((error: unknown) => {
    if (!(error instanceof CommandFailed)) throw error;
    io.printed.push(error.message);
    return error.code;
  });
  return { code, said: [...io.complained, ...io.printed].join('\n') };
}

describe('cardloom transactional-locks', () => {
  it('adds, shows and lifts', async () => {
    const { customerId } = await aCustomer(engine, vault, programme);
    const id = String(customerId);
    const locks = (...args: string[]) => run(transactionalLocksCommand, id, ...args);
    expect((await locks()).said).toBe('no transactional lock');
    expect((await locks('add', 'prosecutor_lock', '--note', 'file 7', '--operator', 'ada')).said).toMatch(
      /PROSECUTOR_LOCK +OPERATOR/,
    );
    const lifted = await locks('lift', 'PROSECUTOR_LOCK', '--note', 'closed');
    expect(lifted).toEqual({ code: 0, said: 'no transactional lock' });
    const again = await locks('lift', 'PROSECUTOR_LOCK');
    expect([again.code, again.said]).toEqual([1, 'LOCK_REASON_NOT_FOUND: There is no lock for this reason.']);
  });

  it.each([
    ['nobody', ['x']],
    ['no reason', ['1', 'add']],
    ['another word', ['1', 'drop', 'ZEN_LOCK']],
    ['a wrong time', ['1', 'add', 'TEMPORARY_LOCKED', '--until', 'soon']],
    ['an empty note', ['1', 'add', 'ZEN_LOCK', '--note', ' ']],
  ])('tells its usage for %s', async (_name, args) => {
    expect((await run(transactionalLocksCommand, ...args)).code).toBe(64);
  });
});

describe('cardloom screening', () => {
  it('loads a list as a whole or not at all', async () => {
    const file = join(folder, 'list.csv');
    const header = 'entryId,kind,name,aliases,birthDates,countries\n';
    writeFileSync(file, `${header}e-1,PERSON,"Example, Boris",B Example|Boris E,1970,PL\n`);
    expect((await run(screeningCommand, 'load', file, '--list', 'eu')).code).toBe(0);
    expect((await run(screeningCommand, 'lists')).said).toMatch(/EU .* 1 /);
    writeFileSync(file, `${header}e-1,SHIP,Boris,,,\n`);
    const refused = await run(screeningCommand, 'load', file, '--list', 'EU');
    expect([refused.code, refused.said]).toEqual([1, expect.stringContaining('line 2: kind must be')]);
    const entries = await owner.selectFrom('screening_entries').select('normalized_names').execute();
    expect(entries).toEqual([{ normalized_names: ['boris example', 'b example', 'boris e'] }]);
    expect((await run(screeningCommand, 'load', join(folder, 'nothing.csv'), '--list', 'EU')).code).toBe(1);
  });

  it('shows hits and decides one', async () => {
    const { customerId, partnerId } = await aCustomer(engine, vault, programme);
    await asEngine((trx) =>
      recordHits(trx, customerSubject(customerId), { partnerId, verificationId: null }, [
        { listCode: 'UN', entryId: 'u-1', score: 0.95, fingerprint: 'f' },
      ]),
    );
    const { said } = await run(screeningCommand, 'hits', '--user', String(customerId), '--state', 'open');
    const hitId = /[0-9a-f-]{36}/.exec(said)?.[0] ?? '';
    const decided = await run(
      screeningCommand,
      'decide',
      hitId,
      '--as',
      'confirmed',
      '--note',
      'same person',
    );
    expect(decided).toEqual({ code: 0, said: `hit ${hitId} is CONFIRMED` });
    expect((await asEngine((trx) => lockReasonsOf(trx, [customerId]))).get(customerId)).toEqual([
      'SCREENING_DETECTED',
    ]);
    const again = await run(screeningCommand, 'decide', hitId, '--as', 'FALSE_POSITIVE', '--note', 'no');
    expect(again.said).toContain('STATE_CONFLICT');
  });

  it.each([
    ['no action', []],
    ['a hit without a decision', ['decide', '11111111-1111-4111-8111-111111111111', '--note', 'x']],
    ['a hit without a note', ['decide', '11111111-1111-4111-8111-111111111111', '--as', 'CONFIRMED']],
    ['an unknown list', ['load', 'x.csv', '--list', 'MINE']],
  ])('tells its usage for %s', async (_name, args) => {
    expect((await run(screeningCommand, ...args)).code).toBe(64);
  });
});

describe('cardloom verifications', () => {
  it('claims a case and gives it back', async () => {
    const customer = await aCustomer(engine, vault, programme);
    const verificationId = newIdAt(new Date());
    await asEngine((trx) =>
      submitVerification(trx, programme, customer, aSubmission(vault, customer, verificationId)),
    );
    const claimed = await run(verificationsCommand, 'claim', verificationId, '--operator', 'ada');
    expect(claimed.said).toMatch(/is claimed by cli:.* for ada$/);
    const other = await run(verificationsCommand, 'claim', verificationId, '--operator', 'eve');
    expect([other.code, other.said]).toEqual([1, expect.stringContaining('CLAIMED_BY_OTHER')]);
    expect((await run(verificationsCommand, 'release', verificationId, '--operator', 'ada')).code).toBe(0);
    expect((await run(verificationsCommand, 'claim', verificationId, '--operator', 'eve')).code).toBe(0);
    expect((await run(verificationsCommand, 'claim', 'x')).code).toBe(64);
  });
});

describe('many cards', () => {
  it('lock a customer above the threshold of the programme, and nobody without one', async () => {
    const card = await owner
      .insertInto('card_products')
      .values({
        partner_id: programme.partnerId,
        programme_id: programme.programmeId,
        config_id: '1',
        name: 'c',
        kind: 'VIRTUAL',
        print_config_id: null,
        currency: 'EUR',
        bin_prefix: '555544',
        range_low: '5555440000000000',
        range_high: '5555449999999999',
        network: 'MASTERCARD',
        category: 'debit',
        processor_product_id: 'p',
      })
      .returning('product_id')
      .executeTakeFirstOrThrow();
    const customer = await aCustomer(engine, vault, programme, { kyc: 'SUCCESS' });
    const opened = await asEngine((trx) => openDefaultBalance(trx, customer.customerId));
    const balanceId = opened.kind === 'OPENED' ? opened.balanceId : '';
    const corporation = await aCorporation(engine, vault, programme);
    const make = async (daysAgo: number, corporationId: string | null = null) => {
      await owner
        .insertInto('cards')
        .values({
          resource_id: newIdAt(new Date()),
          partner_id: programme.partnerId,
          programme_id: programme.programmeId,
          product_id: card.product_id,
          balance_id: balanceId,
          customer_id: corporationId === null ? customer.customerId : null,
          corporation_id: corporationId,
          kind: 'VIRTUAL',
          base_state: 'PENDING',
          reference: newIdAt(new Date()).replaceAll('-', ''),
          label: null,
          created_at: new Date(Date.now() - daysAgo * 86_400_000),
        })
        .execute();
      const { partnerId, programmeId } = programme;
      const customerId = corporationId === null ? customer.customerId : null;
      await asEngine((trx) => lockForManyCards(trx, { customerId, corporationId, partnerId, programmeId }));
      if (corporationId !== null) return await asEngine((trx) => corporationLockReasons(trx, corporationId));
      return (await asEngine((trx) => lockReasonsOf(trx, [customer.customerId]))).get(customer.customerId);
    };
    await make(1);
    expect(await make(2)).toEqual([]);
    await owner
      .updateTable('programmes')
      .set({ many_cards_threshold: 3 })
      .where('programme_id', '=', programme.programmeId)
      .execute();
    await make(31);
    expect(await make(3)).toEqual([]);
    expect(await make(0)).toEqual(['MANY_CARDS_LOCK']);
    const { corporationId } = corporation;
    for (const daysAgo of [31, 2, 1, 0]) expect(await make(daysAgo, corporationId)).toEqual([]);
    expect(await make(0, corporationId)).toEqual(['MANY_CARDS_LOCK']);
  });
});

describe('a document that ends soon', () => {
  it('is told of 30 and 7 days before and on its last day, each once, without the address in the queue', async () => {
    const customer = await aCustomer(engine, vault, programme, { kyc: 'SUCCESS' });
    await owner
      .updateTable('customers')
      .set({ document_expiration_date: '2031-03-31' })
      .where('customer_id', '=', customer.customerId)
      .execute();
    const on = async (day: string) => {
      await sql`insert into clock_offset (offset_by) values (${`${day}T00:10:00Z`}::timestamptz - now())
        on conflict (only_row) do update set offset_by = excluded.offset_by`.execute(owner);
      await sql`select create_partitions()`.execute(owner);
      return await tellEndingDocuments(engine, engineCaller);
    };
    expect(await on('2031-02-28')).toBe(0);
    expect(await on('2031-03-01')).toBe(1);
    expect(await on('2031-03-02')).toBe(0);
    // A day was missed: the mail of 7 days comes with the next look.
    expect(await on('2031-03-25')).toBe(1);
    expect(await on('2031-03-31')).toBe(1);
    expect(await on('2031-04-01')).toBe(0);
    const rows = await owner
      .selectFrom('outbox')
      .select('data')
      .where('kind', '=', 'documentExpires')
      .orderBy('id')
      .execute();
    expect(rows.map((row) => row.data)).toEqual(
      [false, false, true].map((lastDay) => ({
        customerId: customer.customerId,
        facts: { expiresOn: '2031-03-31', lastDay },
      })),
    );
    const [mail] = (await claimMails(engine)).filter((one) => one.template === 'documentExpires');
    expect(mail?.to).toEqual({ customerId: customer.customerId });
  });
});
