import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { atomically, type Trx } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { openPartnerBalance, sharedAccounts } from '../../db/ledger.ts';
import { postPartnerBalance } from '../../db/partner-balance-postings.ts';
import { findProgramme, type Programme } from '../../db/partners.ts';
import type { Caller } from '../../domain/actor.ts';
import type { LimitDocument } from '../../domain/limit.ts';

const CALLER: Caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'bench' },
  requestId: 'bench',
  ip: null,
};
const CURRENCY = 'EUR';
const PREFUND = 1_000_000_000_00;
/** Amount on every new balance; a purchase of the benches is far below it. */
const OPENING = 100_000_00;

/** Limits that are checked and counted and never reached: a cell of every kind, and switches. */
const LIMITS: LimitDocument = {
  limits: [
    { timeUnit: 'daily', type: 'general', amountMinor: 50_000_00 },
    { timeUnit: 'weekly', type: 'general', amountMinor: 80_000_00 },
    { timeUnit: 'monthly', type: 'general', amountMinor: 90_000_00 },
    { timeUnit: 'daily', type: 'ecommerce', amountMinor: 50_000_00 },
    { timeUnit: 'daily', type: 'atm', amountMinor: 5_000_00 },
  ],
  perTransactionMinor: 40_000_00,
  budget: null,
  controls: null,
};

/** Deposit-funded programmes of one new partner, each with a funded deposit and one card product. */
export async function seedProgrammes(owner: Kysely<Database>, count: number): Promise<readonly Programme[]> {
  const { partner_id: partnerId } = await owner
    .insertInto('partners')
    .values({ public_id: randomUUID(), code: `bench-${randomUUID().slice(0, 12)}`, name: 'Bench' })
    .returning('partner_id')
    .executeTakeFirstOrThrow();
  const programmes: Programme[] = [];
  for (let at = 1; at <= count; at += 1) {
    programmes.push(await atomically(owner, CALLER, (trx) => seedProgramme(trx, partnerId)));
  }
  return programmes;
}

async function seedProgramme(trx: Trx, partnerId: number): Promise<Programme> {
  const code = `bench-${randomUUID().slice(0, 12)}`;
  const { programme_id: programmeId } = await trx
    .insertInto('programmes')
    .values({
      public_id: randomUUID(),
      partner_id: partnerId,
      issuer_code: code,
      name: code,
      balance_holder: 'platform',
      funding: 'deposit',
      enforce_partner_balance: true,
      default_currency: CURRENCY,
      currencies: [CURRENCY],
      kyc_mode: 'EXTERNAL',
      external_kyc: true,
      kyc_provider: null,
      country: 'PL',
      // One subscriber, so that every authorization leaves its outbox row.
      notifications: JSON.stringify({ legacyTransaction: 1, cardLock: 1 }),
    })
    .returning('programme_id')
    .executeTakeFirstOrThrow();
  await trx
    .insertInto('card_products')
    .values({
      partner_id: partnerId,
      programme_id: programmeId,
      config_id: '1',
      name: 'bench',
      kind: 'VIRTUAL',
      print_config_id: null,
      currency: CURRENCY,
      bin_prefix: '555770',
      range_low: '5557700000000000',
      range_high: '5557709999999999',
      network: 'MASTERCARD',
      category: 'prepaid',
      processor_product_id: 'bench',
    })
    .execute();
  const programme = await findProgramme(trx, programmeId);
  if (programme === undefined) throw new Error('the programme is not there');
  await openPartnerBalance(trx, {
    partnerId,
    programmeId,
    currency: CURRENCY,
    kind: programme.funding,
    enforced: true,
  });
  await postPartnerBalance(trx, {
    programme,
    type: 'collateralCredit',
    amount: PREFUND,
    currency: CURRENCY,
    externalId: 'prefund',
    description: 'Prefund',
  });
  await sharedAccounts(trx, { partnerId, programmeId, currency: CURRENCY }, ['PH']);
  return programme;
}

export interface CardsWanted {
  readonly programmes: readonly Programme[];
  /** The processor's names of the cards are `<prefix>1` and so on. */
  readonly prefix: string;
  readonly cards: number;
  readonly cardsPerBalance: number;
  /** Top-ups that filled each balance: a history for its transactions. */
  readonly topUps: number;
}

/**
 * Active cards with limits on balances that a top-up (row #17) filled, spread evenly over the programmes: a few
 * statements for any number of them, with every row that the product would have left but audit and outbox.
 */
export async function seedCards(owner: Kysely<Database>, wanted: CardsWanted): Promise<void> {
  const balances = Math.ceil(wanted.cards / wanted.cardsPerBalance);
  const programmes = wanted.programmes.map((one) => one.programmeId);
  await owner.transaction().execute(async (trx) => {
    await sql`set local statement_timeout = 0`.execute(trx);
    await sql`set local work_mem = '256MB'`.execute(trx);
    // A superuser's session leaves out the look-ups of foreign keys, half of the time: every id below comes from
    // one table. All other constraints hold as ever.
    await sql`select set_config('session_replication_role', 'replica', true)
      from pg_roles where rolname = current_user and rolsuper`.execute(trx);
    await sql`
      create temp table seeded on commit drop as
      with m as materialized (
        select cardloom_now() as at, substr(id_bound(cardloom_now())::text, 1, 14) as prefix)
      select n, ${newId(wanted, 'subject')} as subject_id, ${newId(wanted, 'balance')} as balance_id, m.prefix,
        nextval('ledger_accounts_account_id_seq') as account_id,
        nextval('customers_customer_id_seq') as customer_id,
        p.programme_id, p.partner_id, d.product_id, a.account_id as pending_account, m.at
      from m cross join generate_series(1, ${balances}::int) as n
      join programmes p on p.programme_id = (${programmes}::int[])[1 + n % ${programmes.length}::int]
      join card_products d on d.programme_id = p.programme_id
      join ledger_accounts a on a.programme_id = p.programme_id and a.code = 'PH' and a.currency = ${CURRENCY}`.execute(
      trx,
    );
    await sql`analyze seeded`.execute(trx);
    await insertBalances(trx);
    await insertOpenings(trx, wanted);
    await insertCards(trx, wanted);
  });
}

async function insertBalances(trx: Kysely<Database>): Promise<void> {
  await sql`insert into subject_keys (subject_id, partner_id, wrapped, kek_version)
    select subject_id, partner_id, '\\x00', 1 from seeded`.execute(trx);
  await sql`insert into customers (customer_id, subject_id, partner_id, programme_id, personal, state, kyc,
      created_at, updated_at) overriding system value
    select customer_id, subject_id, partner_id, programme_id, '\\x00', 'VERIFIED', 'SUCCESS', at, at
    from seeded`.execute(trx);
  await sql`insert into ledger_accounts (account_id, partner_id, programme_id, code, currency)
    overriding system value
    select account_id, partner_id, programme_id, 'U', ${CURRENCY} from seeded`.execute(trx);
  await sql`insert into balances (balance_id, account_id, partner_id, programme_id, customer_id, currency, holder,
      state, posted, version, created_at)
    select balance_id, account_id, partner_id, programme_id, customer_id, ${CURRENCY}, 'platform', 'ACTIVE',
      ${OPENING}::bigint, 1, at from seeded`.execute(trx);
}

/** The top-ups that filled the balances, one after the other. */
async function insertOpenings(trx: Kysely<Database>, wanted: CardsWanted): Promise<void> {
  const amount = OPENING / wanted.topUps;
  await sql`
    create temp table openings on commit drop as
    select m.*, (k - 1) * ${amount}::bigint as before, k * ${amount}::bigint as after,
      ${newId(wanted, 'opening', sql`k || ' ' || `)} as transaction_id
    from seeded m cross join generate_series(1, ${wanted.topUps}::int) as k`.execute(trx);
  await sql`insert into transactions (id, partner_id, programme_id, state, type, category, resource, customer_id,
      balance_id, external_id, amount, currency, cleared, cleared_at, result, description, occurred_at,
      balance_before, balance_after, created_at, updated_at)
    select transaction_id, partner_id, programme_id, 'CLEARED', 'topUp', 'CREDIT', 'balance', customer_id,
      balance_id, 'opening', ${amount}::bigint, ${CURRENCY}, ${amount}::bigint, at, 'APPROVED', 'Opening', at,
      before, after, at, at from openings`.execute(trx);
  await sql`insert into transaction_events (transaction_id, seq, partner_id, kind, status, result, request_id,
      actor, created_at)
    select transaction_id, 1, partner_id, 'POSTING', 'CLEARED', 'APPROVED', 'bench', 'SYSTEM:bench', at
    from openings`.execute(trx);
  await sql`insert into ledger_transfers (transaction_id, event_seq, seq, partner_id, debit_account,
      credit_account, amount, currency, state, credit_after, created_at)
    select transaction_id, 1, 1, partner_id, pending_account, account_id, ${amount}::bigint, ${CURRENCY}, 'POSTED',
      after, at from openings`.execute(trx);
}

async function insertCards(
  trx: Kysely<Database>,
  { prefix, cards, cardsPerBalance }: CardsWanted,
): Promise<void> {
  await sql`
    with made as (
      insert into cards (resource_id, partner_id, programme_id, product_id, balance_id, customer_id, kind,
        base_state, reference, processor_card_id, expiry_date, last_four_digits, created_at)
      select md5('resource' || ${prefix}::text || c)::uuid, partner_id, programme_id, product_id, balance_id, customer_id, 'VIRTUAL', 'ACTIVE',
        md5(${prefix}::text || c), ${prefix}::text || c, '2999-12-31', '4242', at
      from seeded, generate_series((n - 1) * ${cardsPerBalance}::int + 1,
        least(n * ${cardsPerBalance}::int, ${cards}::int)) as c
      returning *)
    insert into card_states (processor_card_id, card_id, partner_id, programme_id, product_id, balance_id,
      customer_id, base_state, expiry_date, last_four_digits, pin_tries_left, limits, limits_version)
    select processor_card_id, card_id, partner_id, programme_id, product_id, balance_id, customer_id, base_state,
      expiry_date, last_four_digits, 3, ${JSON.stringify(LIMITS)}::jsonb, 1
    from made`.execute(trx);
}

/** A time-ordered id, made by the database; digests, because its random bytes cost more than the rest of a row. */
const newId = ({ prefix }: CardsWanted, what: string, also = sql``) => sql`(
  select (m.prefix || '4' || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid
  from md5(${`${randomUUID()} ${prefix} ${what} `}::text || ${also} n) as h)`;

/** What autovacuum would have done by the time that so many cards are there. */
export async function settle(superuser: { query(text: string): Promise<unknown> }): Promise<void> {
  await superuser.query('vacuum analyze');
  await superuser.query('checkpoint');
}
