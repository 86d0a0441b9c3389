import { describe, expect, it } from 'vitest';
import { add, currencyExponent, formatMoney, minorUnits, readMoney, subtract } from '../../domain/money.ts';

describe('minor units', () => {
  it.each([0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])('takes %d', (value) => {
    expect(minorUnits(value)).toBe(value);
  });

  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses %d', (value) => {
    expect(() => minorUnits(value)).toThrow(RangeError);
  });

  it('refuses a sum or difference that is not safe any more', () => {
    expect(() => add(Number.MAX_SAFE_INTEGER, 1)).toThrow(RangeError);
    expect(() => subtract(Number.MIN_SAFE_INTEGER, 1)).toThrow(RangeError);
  });

  it('adds and takes away', () => {
    expect(add(1234, -34)).toBe(1200);
    expect(subtract(1234, 1300)).toBe(-66);
  });
});

describe('money for people', () => {
  it.each([
    [1234, 'EUR', '12.34 EUR'],
    [5, 'EUR', '0.05 EUR'],
    [-5, 'EUR', '-0.05 EUR'],
    [0, 'EUR', '0.00 EUR'],
    [1234, 'JPY', '1234 JPY'],
    [1234, 'KWD', '1.234 KWD'],
  ])('%i of %s', (value, currency, text) => {
    expect(formatMoney({ minorUnits: value, currency })).toBe(text);
  });

  it('has two decimals unless the list says otherwise', () => {
    expect([currencyExponent('PLN'), currencyExponent('JPY'), currencyExponent('KWD')]).toEqual([2, 0, 3]);
  });

  it.each([
    ['12.34', 'EUR', 1234],
    ['12.3', 'EUR', 1230],
    ['12', 'EUR', 1200],
    ['0.05', 'EUR', 5],
    ['1.234', 'KWD', 1234],
    ['1234', 'JPY', 1234],
    ['1.0', 'JPY', null],
    ['1.001', 'EUR', null],
    ['1,5', 'EUR', null],
    ['-1', 'EUR', null],
    ['.5', 'EUR', null],
    ['1.', 'EUR', null],
    ['90071992547409.92', 'EUR', null],
  ])('reads %s %s', (text, currency, value) => {
    expect(readMoney(text, currency)).toBe(value);
  });
});
