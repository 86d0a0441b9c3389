import { describe, expect, it } from 'vitest';
import {
  ageOn,
  isActive,
  kycAfterDecision,
  kycAfterSubmission,
  kycChange,
  renewsDocument,
} from '../../domain/customer.ts';

describe('age', () => {
  it.each([
    ['2000-06-15', '2018-06-14', 17],
    ['2000-06-15', '2018-06-15', 18],
    ['2000-06-15', '2018-06-16', 18],
    ['2000-02-29', '2018-02-28', 17],
    ['2000-02-29', '2018-03-01', 18],
    ['2026-01-01', '2026-01-01', 0],
  ])('of somebody born %s is on %s: %i', (born, today, age) => {
    expect(ageOn(born, today)).toBe(age);
  });
});

describe('kyc', () => {
  it('goes to IN_PROGRESS with a form, but a customer who passed keeps SUCCESS during the review', () => {
    expect(kycAfterSubmission('NOT_STARTED')).toBe('IN_PROGRESS');
    expect(kycAfterSubmission('FAILED')).toBe('IN_PROGRESS');
    expect(kycAfterSubmission('SUCCESS')).toBe('SUCCESS');
  });

  it('becomes SUCCESS or FAILED with the decision', () => {
    expect(kycAfterDecision('IN_PROGRESS', 'ACCEPTED')).toEqual({ kyc: 'SUCCESS', addsNegativeLock: false });
    expect(kycAfterDecision('IN_PROGRESS', 'REJECTED')).toEqual({ kyc: 'FAILED', addsNegativeLock: false });
  });

  it('survives a rejected re-verification, which locks instead', () => {
    expect(kycAfterDecision('SUCCESS', 'REJECTED')).toEqual({ kyc: 'SUCCESS', addsNegativeLock: true });
  });

  it.each([
    ['NOT_STARTED', 'SUCCESS', true, 'remove'],
    ['SUCCESS', 'SUCCESS', false, 'keep'],
    ['SUCCESS', 'FAILED', false, 'add'],
    ['FAILED', 'SUCCESS', true, 'remove'],
    ['NOT_STARTED', 'IN_PROGRESS', false, 'keep'],
  ] as const)('set by the partner from %s to %s', (from, to, becomesSuccess, negativeLock) => {
    expect(kycChange(from, to)).toEqual({ becomesSuccess, negativeLock });
  });
});

describe('states', () => {
  it('lets only UNVERIFIED and VERIFIED customers get anything new', () => {
    expect((['UNVERIFIED', 'VERIFIED', 'LOCKED', 'DELETED'] as const).map(isActive)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('a new document date', () => {
  it.each([
    [null, '2027-01-01', true],
    ['2025-01-01', '2027-01-01', true],
    ['2027-01-01', '2027-01-01', false],
    ['2025-01-01', '2025-06-01', false],
    ['2025-01-01', '2026-05-05', true],
  ])('from %s to %s on 2026-05-05 lifts DOCUMENT_EXPIRED: %s', (old, renewed, lifts) => {
    expect(renewsDocument(old, renewed, '2026-05-05')).toBe(lifts);
  });
});
