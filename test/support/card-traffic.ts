import { randomInt, randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import pg from 'pg';
import {
  type Authorizer,
  type AuthorizerOptions,
  createAuthorizer,
} from '../../activities/authorization/authorizer.ts';
import type {
  AuthorizationMessage,
  ClearingRecord,
  ReversalMessage,
} from '../../activities/authorization/messages.ts';
import type { NetworkAnswer } from '../../domain/decision.ts';
import { atomically, newId } from '../../db/atomically.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import { openAccount, openPartnerBalance } from '../../db/ledger.ts';
import { findProgramme, type Programme } from '../../db/partners.ts';
import { postPartnerBalance } from '../../db/partner-balance-postings.ts';
import { postInternal } from '../../db/postings.ts';

const CALLER = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'test' },
  requestId: 'test',
  ip: null,
} as const;

export interface ProgrammeOptions {
  readonly funding?: 'credit' | 'deposit';
  readonly prefund?: number;
  readonly enforcePartnerBalance?: boolean;
  readonly balanceHolder?: 'platform' | 'external';
  readonly notifications?: object;
  readonly allowPartialApproval?: boolean;
}

export interface TestCard {
  readonly cardId: number;
  readonly processorCardId: string;
  readonly balanceId: string;
  readonly customerId: number;
}

type AuthorizerChanges = Partial<
  Pick<AuthorizerOptions, 'lanes' | 'batchMax' | 'queueMax' | 'deadlineMs' | 'pool' | 'logger'>
>;

/** A database with programmes and cards, and authorizers on it. */
export interface CardTraffic {
  readonly engine: Kysely<Database>;
  readonly owner: Kysely<Database>;
  programme(options?: ProgrammeOptions): Promise<Programme>;
  /** A card on a new balance, or on the balance of another card. */
  card(programme: Programme, amount: number, beside?: TestCard): Promise<TestCard>;
  /** Money of the partner that came in at the bank. */
  prefund(programme: Programme, amount: number): Promise<void>;
  topUp(programme: Programme, balanceId: string, amount: number): ReturnType<typeof postInternal>;
  authorizer(options?: AuthorizerChanges): Authorizer;
  pool(): pg.Pool;
  balance(card: TestCard): Promise<{ posted: number; held: number; version: number }>;
  end(): Promise<void>;
}

/** Opens connections to a migrated database; `end` closes them. */
export function openCardTraffic(urls: {
  readonly ownerUrl: string;
  readonly engineUrl: string;
}): CardTraffic {
  const owner = createDatabase(createPool({ url: urls.ownerUrl, max: 2, name: 'test-owner' }));
  const engine = createDatabase(createPool({ url: urls.engineUrl, max: 4, name: 'test-engine' }));
  const pools: pg.Pool[] = [];
  const pool = (): pg.Pool => {
    const made = new pg.Pool({
      connectionString: urls.engineUrl,
      max: 6,
      pipeline: true,
      lock_timeout: 2_000,
      statement_timeout: 5_000,
    });
    made.on('error', () => undefined);
    pools.push(made);
    return made;
  };
  return {
    engine,
    owner,
    pool,
    async programme(options = {}) {
      const programme = await insertProgramme(owner, options);
      const { prefund = 1_000_000_000 } = options;
      if (prefund > 0) await prefundFrom(engine, programme, prefund);
      return programme;
    },
    prefund: (programme, amount) => prefundFrom(engine, programme, amount),
    card: (programme, amount, beside) => insertCard(owner, engine, programme, amount, beside),
    topUp: (programme, balanceId, amount) => topUp(engine, programme, balanceId, amount),
    authorizer: (options = {}) =>
      createAuthorizer({
        engine,
        pool: options.pool ?? pool(),
        lanes: options.lanes ?? 2,
        batchMax: options.batchMax ?? 128,
        deadlineMs: options.deadlineMs ?? 20_000,
        queueMax: options.queueMax ?? 5_000,
        logger: options.logger ?? { warn: () => undefined, error: () => undefined },
      }),
    async balance(card) {
      return await engine
        .selectFrom('balances')
        .select(['posted', 'held', 'version'])
        .where('balance_id', '=', card.balanceId)
        .executeTakeFirstOrThrow();
    },
    async end() {
      await Promise.all(pools.map((one) => one.end()));
      await owner.destroy();
      await engine.destroy();
    },
  };
}

async function insertProgramme(owner: Kysely<Database>, options: ProgrammeOptions): Promise<Programme> {
  const code = `p-${randomUUID().slice(0, 12)}`;
  const { partner_id: partnerId } = await owner
    .insertInto('partners')
    .values({ public_id: randomUUID(), code, name: code })
    .returning('partner_id')
    .executeTakeFirstOrThrow();
  const { programme_id: programmeId } = await owner
    .insertInto('programmes')
    .values({
      public_id: randomUUID(),
      partner_id: partnerId,
      issuer_code: code,
      name: code,
      balance_holder: options.balanceHolder ?? 'platform',
      funding: options.funding ?? 'credit',
      allow_partial_approval: options.allowPartialApproval ?? false,
      enforce_partner_balance: options.enforcePartnerBalance ?? true,
      default_currency: 'EUR',
      currencies: ['EUR'],
      kyc_mode: 'EXTERNAL',
      external_kyc: true,
      kyc_provider: null,
      country: 'PL',
      notifications: JSON.stringify(options.notifications ?? { legacyTransaction: 1, cardLock: 1 }),
    })
    .returning('programme_id')
    .executeTakeFirstOrThrow();
  await owner
    .insertInto('card_products')
    .values({
      partner_id: partnerId,
      programme_id: programmeId,
      config_id: '1',
      name: 'virtual',
      kind: 'VIRTUAL',
      print_config_id: null,
      currency: 'EUR',
      bin_prefix: '555770',
      range_low: '5557700000000000',
      range_high: '5557709999999999',
      network: 'MASTERCARD',
      category: 'prepaid',
      processor_product_id: 'test',
    })
    .execute();
  return (await findProgramme(owner, programmeId)) as Programme;
}

async function insertCard(
  owner: Kysely<Database>,
  engine: Kysely<Database>,
  programme: Programme,
  amount: number,
  beside?: TestCard,
): Promise<TestCard> {
  const { partnerId, programmeId } = programme;
  const shared = { partner_id: partnerId, programme_id: programmeId };
  const holder = beside ?? (await insertBalance(owner, programme));
  const { product_id: productId } = await owner
    .selectFrom('card_products')
    .select('product_id')
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  const processorCardId = `pc_${randomUUID()}`;
  const expiryDate = '2999-12-31';
  const { card_id: cardId } = await owner
    .insertInto('cards')
    .values({
      ...shared,
      resource_id: randomUUID(),
      product_id: productId,
      balance_id: holder.balanceId,
      customer_id: holder.customerId,
      corporation_id: null,
      kind: 'VIRTUAL',
      base_state: 'ACTIVE',
      reference: randomUUID().replaceAll('-', ''),
      processor_card_id: processorCardId,
      expiry_date: expiryDate,
      last_four_digits: '4242',
    })
    .returning('card_id')
    .executeTakeFirstOrThrow();
  await owner
    .insertInto('card_states')
    .values({
      ...shared,
      processor_card_id: processorCardId,
      card_id: cardId,
      product_id: productId,
      balance_id: holder.balanceId,
      customer_id: holder.customerId,
      corporation_id: null,
      base_state: 'ACTIVE',
      expiry_date: expiryDate,
      last_four_digits: '4242',
      pin_tries_left: 3,
      consumed_on: null,
    })
    .execute();
  if (amount > 0) {
    const result = await topUp(engine, programme, holder.balanceId, amount);
    if (!result.posted) throw result.refusal;
  }
  return { cardId, processorCardId, ...holder };
}

async function insertBalance(owner: Kysely<Database>, programme: Programme) {
  const { partnerId, programmeId } = programme;
  return await atomically(owner, CALLER, async (trx) => {
    const subjectId = newId(trx);
    await trx
      .insertInto('subject_keys')
      .values({ subject_id: subjectId, partner_id: partnerId, wrapped: Buffer.alloc(1), kek_version: 1 })
      .execute();
    const { customer_id: customerId } = await trx
      .insertInto('customers')
      .values({
        subject_id: subjectId,
        partner_id: partnerId,
        programme_id: programmeId,
        personal: Buffer.alloc(1),
        phone_index: null,
        email_index: null,
        external_id: null,
        state: 'VERIFIED',
        state_before_lock: null,
        kyc: 'SUCCESS',
        document_expiration_date: null,
      })
      .returning('customer_id')
      .executeTakeFirstOrThrow();
    const accountId = await openAccount(trx, { partnerId, programmeId, code: 'U', currency: 'EUR' });
    const balanceId = newId(trx);
    await trx
      .insertInto('balances')
      .values({
        balance_id: balanceId,
        account_id: accountId,
        partner_id: partnerId,
        programme_id: programmeId,
        customer_id: customerId,
        corporation_id: null,
        currency: 'EUR',
        holder: programme.balanceHolder,
        state: 'ACTIVE',
      })
      .execute();
    return { balanceId, customerId };
  });
}

const topUp = (engine: Kysely<Database>, programme: Programme, balanceId: string, amount: number) =>
  atomically(engine, CALLER, (trx) =>
    postInternal(trx, {
      programme,
      balanceId,
      type: 'topUp',
      amount,
      currency: 'EUR',
      externalId: randomUUID(),
      description: 'top up',
    }),
  );

async function prefundFrom(engine: Kysely<Database>, programme: Programme, amount: number): Promise<void> {
  await atomically(engine, CALLER, async (trx) => {
    const place = { kind: programme.funding, currency: 'EUR' } as const;
    await openPartnerBalance(trx, { ...programme, ...place, enforced: programme.enforcePartnerBalance });
    await postPartnerBalance(trx, {
      programme,
      type: 'collateralCredit',
      amount,
      currency: 'EUR',
      externalId: 'prefund',
      description: 'prefund',
    });
  });
}

const digits = (length: number): string =>
  String(randomInt(10 ** Math.min(length, 12))).padStart(length, '0');

/** A purchase that no other message is a repeat of. */
export const aPurchase = (
  card: TestCard,
  amount: number,
  changes: Partial<AuthorizationMessage> = {},
): AuthorizationMessage => ({
  kind: 'AUTHORIZATION',
  messageId: randomUUID(),
  processorCardId: card.processorCardId,
  type: 'pos',
  amount,
  currency: 'EUR',
  stan: digits(6),
  date: '2026-03-01T10:10:54+01:00',
  acquirerId: '271900',
  retrievalReferenceNumber: digits(12),
  externalTransactionId: digits(10),
  networkReferenceId: `MCC${digits(12)}`,
  description: 'BOOK STORE',
  transactionData: { mcc: '5942', merchantIdentifier: '003060300000005', captureMode: 'nfc' },
  ...changes,
});

/** A reversal of `purchase`; everything unless an amount is given. */
export const aReversal = (
  purchase: AuthorizationMessage,
  changes: Partial<ReversalMessage> = {},
): ReversalMessage => ({
  messageId: randomUUID(),
  processorCardId: purchase.processorCardId,
  stan: digits(6),
  date: '2026-03-01T10:12:00+01:00',
  acquirerId: '271900',
  retrievalReferenceNumber: purchase.retrievalReferenceNumber,
  externalTransactionId: digits(10),
  networkReferenceId: purchase.networkReferenceId,
  originalStan: purchase.stan,
  originalDate: purchase.date,
  ...changes,
});

/** A final clearing record of `purchase`. */
export const aRecord = (
  purchase: AuthorizationMessage,
  amount: number,
  changes: Partial<ClearingRecord> = {},
): ClearingRecord => ({
  recordId: randomUUID(),
  recordType: 'PURCHASE',
  processorCardId: purchase.processorCardId,
  externalTransactionId: purchase.externalTransactionId,
  networkReferenceId: purchase.networkReferenceId,
  retrievalReferenceNumber: purchase.retrievalReferenceNumber,
  amount,
  currency: 'EUR',
  final: true,
  transactionDate: '2026-03-01',
  settlementDate: '2026-03-02',
  ...changes,
});

/** How a message came in. */
export const aCall = () => ({ requestId: randomUUID(), processor: 'processor-1', receivedAtMs: Date.now() });

/** The answer as the processor reads it. */
export const read = ({ answer }: { readonly answer: string }): NetworkAnswer =>
  JSON.parse(answer) as NetworkAnswer;
