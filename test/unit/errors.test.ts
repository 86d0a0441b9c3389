import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defect, statusOf, statusOfCode, toErrorAnswer } from '../../api/errors.ts';
import { invalid, Refusal, type RefusalCode } from '../../domain/errors.ts';

/** The members of the union, read from its source: at run time a type leaves nothing behind. */
const codes = [
  ...(/type RefusalCode =([^;]*);/
    .exec(readFileSync(new URL('../../domain/errors.ts', import.meta.url), 'utf8'))?.[1]
    ?.matchAll(/'([A-Z_0-9]+)'/g) ?? []),
].map((match) => match[1] as RefusalCode);

describe('the status of a refusal', () => {
  it('is there for every code, and one of those documented', () => {
    expect(codes.length).toBeGreaterThan(50);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) {
      expect([code, statusOfCode(code)]).toEqual([
        code,
        expect.toSatisfy((status: number) =>
          [400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 503].includes(status),
        ),
      ]);
    }
  });

  it('is 404 for what is not found, but for a posting whose owner or balance cannot take it', () => {
    const missing = codes.filter((code) => code.endsWith('NOT_FOUND') && statusOfCode(code) !== 404);
    expect(missing).toEqual([
      'CUSTOMER_NOT_FOUND',
      'COLLATERAL_BALANCE_NOT_FOUND',
      'DEPOSIT_BALANCE_NOT_FOUND',
      'REFERENCED_TRANSACTION_NOT_FOUND',
    ]);
    expect(statusOf(new Refusal('BALANCE_NOT_FOUND', 'No.', { status: 422 }))).toBe(422);
  });
});

describe('the answer to a refusal', () => {
  it('has title and detail alone, faults where there are some', () => {
    expect(toErrorAnswer(new Refusal('CARD_NOT_FOUND', 'There is no such card.')).body).toEqual({
      title: 'CARD_NOT_FOUND',
      detail: 'There is no such card.',
    });
    expect(toErrorAnswer(invalid([{ field: 'phone', message: 'is required' }])).body).toEqual({
      title: 'VALIDATION_ERROR',
      detail: '1 field is invalid.',
      errors: [{ field: 'phone', message: 'is required' }],
    });
  });

  it('says when to come again with every 429 and 503, and what a path takes with 405', () => {
    for (const code of codes.filter((one) => [429, 503].includes(statusOfCode(one)))) {
      expect(toErrorAnswer(new Refusal(code, 'Wait.')).headers).toEqual({ 'Retry-After': '1' });
    }
    const later = new Refusal('TOO_MANY_REQUESTS', 'Wait.', { retryAfterSeconds: 60 });
    expect(toErrorAnswer(later).headers).toEqual({ 'Retry-After': '60' });
    const method = new Refusal('METHOD_NOT_ALLOWED', 'No.', { allow: ['GET', 'POST'] });
    expect(toErrorAnswer(method).headers).toEqual({ Allow: 'GET, POST' });
  });

  it('ends the connection of a certificate that is not trusted', () => {
    expect(toErrorAnswer(new Refusal('CERTIFICATE_NOT_TRUSTED', 'No.')).headers).toEqual({
      Connection: 'close',
    });
  });

  it('tells of a defect nothing but the request id', () => {
    expect(toErrorAnswer(defect('r-1'))).toEqual({
      status: 500,
      headers: {},
      body: { title: 'INTERNAL_ERROR', detail: 'Something failed on our side. Request id: r-1' },
    });
  });
});
