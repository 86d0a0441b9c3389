import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import { openPartnerBalance, type PartnerBalanceKind } from '../../db/ledger.ts';
import {
  createPartnerBalance,
  type PartnerBalancePosting,
  postPartnerBalance,
} from '../../db/partner-balance-postings.ts';
import type { Programme } from '../../db/partners.ts';
import { findStep } from '../../db/transactions.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import type { PartnerBalanceType } from '../../domain/transaction-type.ts';
import { type CardTraffic, openCardTraffic } from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { partnerBalancesOf, transfersOf } from '../support/money.ts';

let database: FreshDatabase;
let traffic: CardTraffic;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
});

afterAll(async () => {
  expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  await traffic.end();
  await database.drop();
});

const SPONSOR = {
  partnerId: null,
  actor: { type: 'PARTNER', id: 'sponsor' },
  requestId: 'bank',
  ip: null,
} as const;

const post = (
  programme: Programme,
  type: PartnerBalanceType,
  amount: number,
  changes: Partial<PartnerBalancePosting> = {},
) =>
  atomically(traffic.engine, SPONSOR, (trx) =>
    postPartnerBalance(trx, {
      programme,
      type,
      amount,
      currency: 'EUR',
      externalId: 'bank-1',
      description: 'bank transfer',
      ...changes,
    }),
  );

describe.each(['credit', 'deposit'] as const)('in a programme funded by %s', (funding) => {
  const code = funding === 'credit' ? 'PC' : 'PD';

  it.each<[PartnerBalanceType, string, string, object]>([
    ['collateralCredit', `BK>${code} 300`, `${funding}Balance`, { [funding]: 1300 }],
    ['collateralDebit', `${code}>BK 300`, `${funding}Balance`, { [funding]: 700 }],
    ['companyCredit', 'BK>CO 300', 'companyBalance', { company: 300 }],
    ['companyDebit', 'CO>BK 300', 'companyBalance', { company: -300 }],
    ['ibanTechnicalCredit', 'BK>IT 300', 'ibanTechnicalBalance', { ibanTechnical: 300 }],
  ])('%s books %s', async (type, written, resource, after) => {
    const programme = await traffic.programme({ funding, prefund: 1000 });
    const { transactionId, partnerBalanceId } = await post(programme, type, 300);
    expect(await transfersOf(traffic.engine, transactionId)).toBe(written);
    expect(await partnerBalancesOf(traffic.engine, programme)).toMatchObject(after);
    expect(await findStep(traffic.engine, transactionId, 1)).toMatchObject({
      transaction: {
        type,
        resource,
        category: type.endsWith('Credit') ? 'CREDIT' : 'DEBIT',
        partner_balance_id: partnerBalanceId,
        balance_id: null,
        external_id: 'bank-1',
        balance_after: Object.values(after)[0],
      },
      event: { kind: 'POSTING', status: 'CLEARED' },
    });
    const audited = await traffic.owner
      .selectFrom('audit_log')
      .select(['action', 'partner_id'])
      .where('object_id', '=', transactionId)
      .execute();
    expect(audited).toEqual([{ action: 'partner_balance.posted', partner_id: programme.partnerId }]);
  });

  it('ibanTechnicalDebit gives back what came in, and no more', async () => {
    const programme = await traffic.programme({ funding, enforcePartnerBalance: false });
    await post(programme, 'ibanTechnicalCredit', 300);
    await expect(post(programme, 'ibanTechnicalDebit', 301)).rejects.toMatchObject({
      code: 'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
    });
    const { transactionId } = await post(programme, 'ibanTechnicalDebit', 300);
    expect(await transfersOf(traffic.engine, transactionId)).toBe('IT>BK 300');
  });

  it('collateralDebit: only what is there, unless the programme does not ask', async () => {
    const programme = await traffic.programme({ funding, prefund: 1000 });
    await expect(post(programme, 'collateralDebit', 1001)).rejects.toMatchObject({
      code: 'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
    });
    await post(programme, 'collateralDebit', 1000);
    const lenient = await traffic.programme({ funding, prefund: 1000, enforcePartnerBalance: false });
    await post(lenient, 'collateralDebit', 1001);
    expect(await partnerBalancesOf(traffic.engine, lenient)).toEqual({ [funding]: -1 });
  });

  it('collateralCredit needs a balance that was opened', async () => {
    const programme = await traffic.programme({ funding, prefund: 0 });
    await expect(post(programme, 'collateralCredit', 1)).rejects.toMatchObject({
      code: funding === 'credit' ? 'COLLATERAL_BALANCE_NOT_FOUND' : 'DEPOSIT_BALANCE_NOT_FOUND',
    });
    const open = () =>
      atomically(traffic.engine, SPONSOR, (trx) =>
        createPartnerBalance(trx, programme, { kind: funding, currency: 'EUR' }),
      );
    await open();
    await expect(open()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await post(programme, 'collateralCredit', 1);
  });
});

it('tells the partner only where the programme wants to hear of its own balances', async () => {
  const programme = await traffic.programme();
  const toldOf = async (transactionId: string) =>
    (
      await traffic.engine
        .selectFrom('outbox')
        .select('kind')
        .where('transaction_id', '=', transactionId)
        .execute()
    ).length;
  expect(await toldOf((await post(programme, 'companyCredit', 1)).transactionId)).toBe(1);
  const quiet = { ...programme, includePartnerBalances: false };
  expect(await toldOf((await post(quiet, 'companyCredit', 1)).transactionId)).toBe(0);
});

it('INVALID_AMOUNT: nothing, or more than a balance can hold', async () => {
  const programme = await traffic.programme({ prefund: 1 });
  await expect(post(programme, 'collateralCredit', 0)).rejects.toMatchObject({ code: 'INVALID_AMOUNT' });
  await expect(post(programme, 'collateralCredit', Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
    code: 'INVALID_AMOUNT',
  });
});

it('a number that must be new is taken once, also when two come at once', async () => {
  const programme = await traffic.programme({ prefund: 1 });
  const once = { externalId: 'transfer-77', uniqueReference: true };
  const results = await Promise.allSettled([1, 2, 3].map(() => post(programme, 'collateralCredit', 5, once)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(
    results.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : [])),
  ).toEqual(['DUPLICATE_BANK_REFERENCE', 'DUPLICATE_BANK_REFERENCE']);
  await post(programme, 'companyCredit', 5, once);
  await post(programme, 'collateralCredit', 5, { externalId: 'transfer-77' });
  expect(await partnerBalancesOf(traffic.engine, programme)).toEqual({ credit: 11, company: 5 });
});

it('a channel opens the balance of the company and no other', async () => {
  const programme = await traffic.programme({ prefund: 0 });
  const { partnerId, programmeId } = programme;
  const app = createDatabase(createPool({ url: database.appUrl, max: 1, name: 'test-app' }));
  const open = (kind: PartnerBalanceKind) =>
    atomically(app, { ...SPONSOR, partnerId }, (trx) =>
      openPartnerBalance(trx, { partnerId, programmeId, currency: 'EUR', kind, enforced: false }),
    );
  try {
    for (const kind of ['credit', 'deposit', 'ibanTechnical'] as const) {
      await expect(open(kind)).rejects.toThrow(/row-level security/);
    }
    expect((await open('company')).isNew).toBe(true);
    expect((await open('company')).isNew).toBe(false);
  } finally {
    await app.destroy();
  }
});
