import { describe, expect, it } from 'vitest';
import { creatorOf, isInternalType, readTransactionType } from '../../domain/transaction-type.ts';

describe('the word of a type', () => {
  it.each([
    ['topUp', 'topUp'],
    ['top-up', 'topUp'],
    ['TOP_UP', 'topUp'],
    ['topup', 'topUp'],
    ['Balance Inquiry', 'balance_inquiry'],
    ['Cashback', 'cashback'],
    ['cashback at POS', 'cashback_at_pos'],
    ['collateral_credit', 'collateralCredit'],
    ['IBAN technical debit', 'ibanTechnicalDebit'],
    ['funding', 'funding'],
    ['', null],
    ['top.up', null],
    ['__proto__', null],
    ['constructor', null],
  ])('%s is %s', (word, type) => {
    expect(readTransactionType(word)).toBe(type);
  });
});

describe('who may create a type', () => {
  it.each([
    ['pos', 'processor', false],
    ['adjustment', 'platform', false],
    ['topUp', 'partner', true],
    ['payment', 'partner', true],
    ['loan', 'partner', true],
    ['cashback', 'partner', true],
    ['fee', 'partner', true],
    ['commission', 'partner', true],
    ['funding', 'partner', true],
    ['interest', 'partner', true],
    ['withdrawal', 'partner', true],
    ['creditIbanTransfer', 'ims', false],
    ['collateralCredit', 'sponsor', false],
    ['companyDebit', 'sponsor', false],
    ['ibanTechnicalCredit', 'ims', false],
    ['interchangeCredit', 'platform', false],
  ] as const)('%s: %s', (type, creator, internal) => {
    expect([creatorOf(type), isInternalType(type)]).toEqual([creator, internal]);
  });
});
