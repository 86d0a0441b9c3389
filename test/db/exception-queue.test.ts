import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { assignException, claimException, resolveException } from '../../db/exception-queue.ts';
import type { Resolve } from '../../db/exception-resolutions.ts';
import { listExceptions, raiseException } from '../../db/exceptions.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import type { ExceptionKind } from '../../domain/decision.ts';
import { RESOLUTIONS, resolutionsOf } from '../../domain/exception-resolution.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  type CardTraffic,
  openCardTraffic,
  read,
  type TestCard,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

const caller = { partnerId: null, actor: { type: 'CLI', id: 'ada' }, requestId: 'test', ip: null } as const;

let database: FreshDatabase;
let traffic: CardTraffic;
let card: TestCard;
beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  card = await traffic.card(await traffic.programme(), 100_000);
});
afterAll(async () => {
  expect((await verifyLedger(traffic.engine)).differences).toEqual([]);
  await traffic.end();
  await database.drop();
});

const within = <T>(work: Parameters<typeof atomically<T>>[2]) => atomically(traffic.engine, caller, work);

const raise = (kind: ExceptionKind, transactionId: string | null = null) =>
  within((trx) => raiseException(trx, { kind, values: {}, partnerId: null, transactionId, recordId: null }));

const stored = (id: string) =>
  traffic.engine
    .selectFrom('exceptions')
    .selectAll()
    .where('exception_id', '=', id)
    .executeTakeFirstOrThrow();

const asked = (resolution: Resolve['resolution'], changes: Partial<Resolve> = {}): Resolve => ({
  resolution,
  operatorId: 'ada',
  secondOperatorId: null,
  note: 'looked into it',
  transactionId: null,
  amount: null,
  cardId: null,
  ...changes,
});

const resolve = (id: string, how: Resolve) => within((trx) => resolveException(trx, id, how));

async function inReview(kind: ExceptionKind, transactionId: string | null = null): Promise<string> {
  const id = await raise(kind, transactionId);
  await within((trx) => claimException(trx, id, 'ada'));
  return id;
}

async function forcePost(): Promise<string> {
  const authorizer = traffic.authorizer();
  const { results } = await authorizer.clear(aRecord(aPurchase(card, 50), 50), aCall());
  await authorizer.drain();
  return results[0]?.id ?? '';
}
async function approval(amount: number, of = card): Promise<string> {
  const authorizer = traffic.authorizer();
  const { id } = read(await authorizer.authorize(aPurchase(of, amount), aCall()));
  await authorizer.drain();
  return id ?? '';
}

describe('the queue of exceptions', () => {
  it('goes from OPEN over IN_REVIEW to RESOLVED, each step told in the audit log', async () => {
    const id = await raise('FORCE_POST');
    await within((trx) => claimException(trx, id, 'ada'));
    expect(await stored(id)).toMatchObject({ state: 'IN_REVIEW', assignee: 'ada' });
    await within((trx) => assignException(trx, id, 'bob'));
    expect(await stored(id)).toMatchObject({ state: 'IN_REVIEW', assignee: 'bob' });
    await resolve(id, asked('ACCEPT', { operatorId: 'bob' }));
    const ended = await stored(id);
    expect(ended).toMatchObject({
      state: 'RESOLVED',
      resolution: 'ACCEPT',
      note: 'looked into it',
      resolved_by: 'bob',
      resolving_transaction_id: null,
    });
    expect(ended.resolved_at).toBeInstanceOf(Date);
    const audits = await traffic.engine
      .selectFrom('audit_log')
      .select('action')
      .where('object_id', '=', id)
      .orderBy('id')
      .execute();
    expect(audits.map((one) => one.action).toSorted()).toEqual([
      'exception.assigned',
      'exception.claimed',
      'exception.resolved',
    ]);
  });

  it('lets one person at a time work on one', async () => {
    const id = await raise('FORCE_POST');
    const claims = await Promise.allSettled(
      ['ada', 'bob', 'eve'].map((one) => within((trx) => claimException(trx, id, one))),
    );
    expect(claims.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of claims) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'STATE_CONFLICT' });
    }
    const { assignee } = await stored(id);
    await within((trx) => claimException(trx, id, assignee ?? ''));
  });

  it('refuses steps out of order', async () => {
    const open = await raise('FORCE_POST');
    await expect(resolve(open, asked('ACCEPT'))).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    const ended = await inReview('FORCE_POST');
    await resolve(ended, asked('ACCEPT'));
    for (const again of [
      () => resolve(ended, asked('ACCEPT')),
      () => within((trx) => claimException(trx, ended, 'ada')),
      () => within((trx) => assignException(trx, ended, 'ada')),
    ]) {
      await expect(again()).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    }
    const born = await raise('LATE_CLEARING');
    await expect(within((trx) => claimException(trx, born, 'ada'))).rejects.toMatchObject({
      code: 'STATE_CONFLICT',
    });
    await expect(resolve(randomUUID(), asked('ACCEPT'))).rejects.toMatchObject({
      code: 'EXCEPTION_NOT_FOUND',
    });
  });

  it('is found by kind, state and severity', async () => {
    const id = await raise('FILE_TOTALS');
    const found = await listExceptions(traffic.engine, { severity: 'CRITICAL', state: 'OPEN', limit: 10 });
    expect(found.map((one) => one.exception_id)).toEqual([id]);
    expect(
      await listExceptions(traffic.engine, { kind: 'FILE_TOTALS', state: 'RESOLVED', limit: 10 }),
    ).toEqual([]);
  });
});

describe('a resolution', () => {
  it.each(['NEGATIVE_BALANCE', 'RECORD_INVALID', 'FILE_TOTALS', 'REFUND_EXCEEDS'] as const)(
    'that does not fit %s is refused and changes nothing',
    async (kind) => {
      const id = await inReview(kind);
      const before = await stored(id);
      for (const one of RESOLUTIONS.filter((way) => !resolutionsOf(kind).includes(way))) {
        await expect(resolve(id, asked(one, { amount: 1, secondOperatorId: 'bob' }))).rejects.toMatchObject({
          code: 'RESOLUTION_NOT_FOR_KIND',
        });
      }
      expect(await stored(id)).toEqual(before);
    },
  );

  it.each([['FORCE_POST', 'DISPUTE']] as const)(
    'of %s by %s is refused as not offered',
    async (kind, resolution) => {
      const id = await inReview(kind);
      await expect(resolve(id, asked(resolution))).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      expect(await stored(id)).toMatchObject({ state: 'IN_REVIEW' });
    },
  );

  it.each([
    ['PURCHASE', -70],
    ['REFUND', 70],
  ] as const)(
    'of a %s record without a card books it on the card that was found: %i',
    async (recordType, moved) => {
      const authorizer = traffic.authorizer();
      const record = aRecord(aPurchase({ ...card, processorCardId: 'pc_nobody' }, 70), 70, { recordType });
      const { results } = await authorizer.clear(record, aCall());
      await authorizer.drain();
      expect(results).toMatchObject([{ result: 'QUARANTINED', exception: 'UNKNOWN_CARD' }]);
      const { exception_id: id } = await traffic.engine
        .selectFrom('exceptions')
        .select('exception_id')
        .where('record_id', '=', record.recordId)
        .executeTakeFirstOrThrow();
      await within((trx) => claimException(trx, id, 'ada'));
      const before = await traffic.balance(card);
      const bob = { secondOperatorId: 'bob' };
      await expect(resolve(id, asked('REASSIGN', bob))).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
      await expect(resolve(id, asked('REASSIGN', { ...bob, cardId: 999_999 }))).rejects.toMatchObject({
        code: 'CARD_NOT_FOUND',
      });
      const { transactionId } = await resolve(id, asked('REASSIGN', { ...bob, cardId: card.cardId }));
      expect((await traffic.balance(card)).posted - before.posted).toBe(moved);
      expect(await stored(id)).toMatchObject({ state: 'RESOLVED', resolving_transaction_id: transactionId });
    },
  );

  it.each([
    ['OVER_CLEARING', 'ADJUST', 50],
    ['UNLINKED_REFUND', 'ADJUST', -50],
  ] as const)('of %s by %s moves %i with two people', async (kind, resolution, moved) => {
    const transactionId = await forcePost();
    const id = await inReview(kind, transactionId);
    const before = await traffic.balance(card);
    await expect(resolve(id, asked(resolution, { amount: 50 }))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(
      resolve(id, asked(resolution, { amount: 50, secondOperatorId: 'ada' })),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(resolve(id, asked(resolution, { secondOperatorId: 'bob' }))).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    expect(await traffic.balance(card)).toEqual(before);
    const ended = await resolve(id, asked(resolution, { amount: 50, secondOperatorId: 'bob' }));
    expect((await traffic.balance(card)).posted - before.posted).toBe(moved);
    expect(await stored(id)).toMatchObject({
      state: 'RESOLVED',
      resolving_transaction_id: ended.transactionId,
    });
    const posting = await traffic.engine
      .selectFrom('transactions')
      .select(['external_id', 'reference_external_id', 'adjustment_kind'])
      .where('id', '=', ended.transactionId ?? '')
      .executeTakeFirstOrThrow();
    expect(posting).toMatchObject({ external_id: id, adjustment_kind: 'manual' });
  });

  it('of NEGATIVE_BALANCE by WRITE_OFF gives what is missing and no more', async () => {
    const poor = await traffic.card(await traffic.programme(), 10);
    const authorizer = traffic.authorizer();
    const { results } = await authorizer.clear(aRecord(aPurchase(poor, 50), 50), aCall());
    await authorizer.drain();
    const id = await inReview('NEGATIVE_BALANCE', results[0]?.id ?? '');
    const writeOff = (amount: number) => resolve(id, asked('WRITE_OFF', { amount, secondOperatorId: 'bob' }));
    await expect(writeOff(41)).rejects.toMatchObject({ code: 'INVALID_AMOUNT' });
    expect(await stored(id)).toMatchObject({ state: 'IN_REVIEW' });
    await writeOff(40);
    expect(await traffic.balance(poor)).toMatchObject({ posted: 0 });
  });

  it('LINK puts a force post under its authorization, whose hold is given back', async () => {
    const posted = await forcePost();
    const target = await approval(60);
    const id = await inReview('FORCE_POST', posted);
    await resolve(id, asked('LINK', { transactionId: target }));
    const row = await traffic.engine
      .selectFrom('transactions')
      .select('related_id')
      .where('id', '=', posted)
      .executeTakeFirstOrThrow();
    expect(row.related_id).toBe(target);
    const starts = await traffic.engine
      .selectFrom('outbox')
      .select('data')
      .where('kind', '=', 'hold-release')
      .execute();
    expect(starts).toMatchObject([
      { data: { transactionId: target, amount: null, operatorId: 'ada', reason: 'looked into it' } },
    ]);
  });

  it('LINK refuses the transaction of another card, itself, and nothing', async () => {
    const posted = await forcePost();
    const other = await approval(60, await traffic.card(await traffic.programme(), 1_000));
    const id = await inReview('FORCE_POST', posted);
    await expect(resolve(id, asked('LINK', { transactionId: other }))).rejects.toMatchObject({
      code: 'TRANSACTION_NOT_FOUND',
    });
    for (const transactionId of [posted, null]) {
      await expect(resolve(id, asked('LINK', { transactionId }))).rejects.toMatchObject({
        code: 'VALIDATION_ERROR',
      });
    }
    expect(await stored(id)).toMatchObject({ state: 'IN_REVIEW' });
  });
});
