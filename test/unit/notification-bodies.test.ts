import { describe, expect, it } from 'vitest';
import {
  cardLockedBody,
  cardUnlockedBody,
  transactionBody,
  verificationBody,
} from '../../activities/partner/schemas.ts';
import type { WireStyle } from '../../db/database.ts';
import type { TransactionFacts } from '../../db/notification-facts.ts';
import { schemaOf } from '../../simulators/partner/schemas.ts';

const TABLE: WireStyle = { dateStyle: 'ISO_MS_Z', numberStyle: 'STRING', captureModeStyle: 'TABLE' };
const SAMPLE: WireStyle = { dateStyle: 'ISO_OFFSET', numberStyle: 'INTEGER', captureModeStyle: 'SAMPLE' };
const at = new Date('2026-11-20T10:00:00.000Z');

const purchase: TransactionFacts = {
  transactionId: '01a1fd61-a04d-4caa-83fa-c07727db76ce',
  eventSeq: 1,
  kind: 'AUTHORIZATION',
  status: 'AUTHORIZED',
  result: 'APPROVED',
  reason: null,
  amount: 1234,
  currency: 'EUR',
  originalAmount: 1500,
  originalCurrency: 'USD',
  externalId: '177482',
  occurredAt: at,
  firstExternalId: '177482',
  firstOccurredAt: at,
  referenceExternalId: null,
  type: 'pos',
  category: 'DEBIT',
  resource: 'card',
  cardId: 1125,
  cardResourceId: '02a1fd61-a04d-4caa-83fa-c07727db76ce',
  balanceId: '03a1fd61-a04d-4caa-83fa-c07727db76ce',
  partnerBalanceId: null,
  description: 'River Taxi Bangkok THA',
  lastFourDigits: '1234',
  transactionData: {
    mcc: '4121',
    captureMode: 'on behalf (EMV)',
    retrievalReferenceNumber: '443322110088',
    merchantName: null,
  },
};

/** The part of a body that tests look into. */
const told = (facts: TransactionFacts, style = TABLE) =>
  transactionBody(facts, style) as { status: string; transaction: Record<string, unknown> };

describe('the legacy transaction object', () => {
  it('of a purchase has every documented field, and of the data what is known', () => {
    expect(transactionBody(purchase, TABLE)).toEqual({
      status: 'SUCCESS',
      date: '2026-11-20T10:00:00.000Z',
      description: 'APPROVED',
      transaction: {
        id: purchase.transactionId,
        balanceId: purchase.balanceId,
        resourceId: purchase.cardResourceId,
        resource: 'card',
        cardId: '1125',
        externalTransactionId: '177482',
        referenceExternalTransactionId: null,
        referenceExternalTransactionDate: null,
        type: 'POS',
        category: 'DEBIT',
        amount: 1234,
        currency: 'EUR',
        originalAmount: 1500,
        originalCurrency: 'USD',
        description: 'River Taxi Bangkok THA',
        date: '2026-11-20T10:00:00.000Z',
        status: 'AUTHORIZED',
        transactionData: { mcc: '4121', captureMode: 'on behalf (EMV)', lastFourDigits: '1234' },
      },
    });
  });

  it('of a reversal is a credit adjustment that refers to the first message', () => {
    const reversal = {
      ...purchase,
      eventSeq: 2,
      kind: 'REVERSAL',
      status: 'REVERSED' as const,
      externalId: '177590',
      occurredAt: new Date('2026-11-20T11:00:00.000Z'),
    };
    expect(told(reversal).transaction).toMatchObject({
      type: 'Adjustment',
      category: 'CREDIT',
      status: 'REVERSED',
      externalTransactionId: '177590',
      referenceExternalTransactionId: '177482',
      referenceExternalTransactionDate: '2026-11-20T10:00:00.000Z',
      originalAmount: null,
    });
  });

  it('of a top up has no card', () => {
    const topUp: TransactionFacts = {
      ...purchase,
      kind: 'POSTING',
      status: 'CLEARED',
      type: 'topup',
      category: 'CREDIT',
      resource: 'balance',
      cardId: null,
      cardResourceId: null,
      lastFourDigits: null,
      transactionData: {},
    };
    expect(told(topUp).transaction).toMatchObject({
      type: 'topUp',
      resource: 'balance',
      resourceId: purchase.balanceId,
      cardId: null,
      transactionData: {},
    });
  });

  it.each([
    ['INSUFFICIENT_FUNDS', null, 'DECLINED'],
    ['CURRENCY_MISMATCH', null, 'INVALID'],
    ['CARD_NOT_FOUND', 'CARD_LOCKED_1', 'DECLINED'],
  ])('of %s (%s) says %s', (result, reason, status) => {
    expect(told({ ...purchase, result, reason }).status).toBe(status);
  });

  it('follows the styles of the connection', () => {
    const { transaction } = told(purchase, SAMPLE);
    expect(transaction['date']).toBe('2026-11-20T10:00:00+00:00');
    expect(transaction['transactionData']).toMatchObject({ captureMode: 'ON_BEHALF' });
  });
});

describe('bodies of locks and verifications', () => {
  it('write numbers as the connection wants them', () => {
    const card = { cardId: 11, at, reason: 'CARD_LOST' };
    expect(cardLockedBody(card, TABLE)).toEqual({
      dcCardId: '11',
      date: '2026-11-20T10:00:00.000Z',
      reason: 'CARD_LOST',
    });
    expect(cardUnlockedBody(card, SAMPLE)).toEqual({ dcCardId: 11, date: '2026-11-20T10:00:00+00:00' });
  });

  it('tell a reason with a rejection alone', () => {
    const facts = {
      verificationId: purchase.transactionId,
      customerId: 1001,
      email: 'ada@example.com',
      firstName: 'Ada',
      lastName: 'Nowak',
      reason: 'INVALID_SELFIE',
    };
    expect(verificationBody('verificationRejected', facts, TABLE)).toMatchObject({
      userId: '1001',
      status: 'REJECTED',
      reason: 'INVALID_SELFIE',
    });
    // The case may have been decided before its first notice is rendered.
    expect(verificationBody('verificationInProgress', facts, SAMPLE)).toMatchObject({
      userId: 1001,
      status: 'IN_PROGRESS',
      reason: null,
    });
  });
});

it('every body holds what the partner simulator demands of it', () => {
  for (const style of [TABLE, SAMPLE]) {
    const card = { cardId: 11, at, reason: 'CARD_LOST' };
    expect(
      schemaOf('cardLocked', 'cardLocked')?.safeParse(cardLockedBody(card, style)).error,
    ).toBeUndefined();
    expect(
      schemaOf('transaction', 'transaction')?.safeParse(transactionBody(purchase, style)).error,
    ).toBeUndefined();
  }
});
