import { describe, expect, it } from 'vitest';
import {
  afterProvider,
  birthDateOfPesel,
  decisionFault,
  flagsOf,
  isExpired,
  mayReview,
  peselChecksumHolds,
  rejectionReasonOf,
  requiredPictures,
  type VerificationForm,
  verificationTimings,
} from '../../domain/verification.ts';

const form: VerificationForm = {
  firstName: 'Leon',
  lastName: 'Bąkiewicz',
  birthDate: '1970-01-01',
  pesel: null,
  nationality: 'polish',
  country: 'PL',
  street: 'Polna',
  number: '1',
  apartment: null,
  city: 'Lublin',
  postCode: '20-128',
  documentType: 'identity_card',
  identityCardNo: 'ASD123456',
  documentExpirationDate: '2030-01-01',
  riskLevel: 'LOW',
  pep: false,
};

describe('pictures', () => {
  it('are three, but a passport has no back', () => {
    expect(requiredPictures('identity_card')).toEqual(['FACE', 'FRONT', 'BACK']);
    expect(requiredPictures('passport')).toEqual(['FACE', 'FRONT']);
  });
});

describe('the document', () => {
  it('is good on its last day', () => {
    expect(isExpired('2026-05-05', '2026-05-05')).toBe(false);
    expect(isExpired('2026-05-04', '2026-05-05')).toBe(true);
  });
});

describe('PESEL', () => {
  it.each([
    ['44051401359', true],
    ['02070803628', true],
    ['44051401358', false],
    ['70010155587', false],
  ])('%s has the right checksum: %s', (pesel, holds) => {
    expect(peselChecksumHolds(pesel)).toBe(holds);
  });

  it.each([
    ['70010100000', '1970-01-01'],
    ['02270800000', '2002-07-08'],
    ['05852300000', '1805-05-23'],
    ['10523100000', '2110-12-31'],
  ])('%s tells the birth date %s', (pesel, date) => {
    expect(birthDateOfPesel(pesel)).toBe(date);
  });
});

describe('flags for the reviewer', () => {
  const customer = { firstName: 'Leon', lastName: 'Bakiewicz', birthDate: '1970-01-01' };

  it('are none for a form that agrees, marks and case apart', () => {
    expect(flagsOf({ ...form, firstName: 'LEON' }, customer)).toEqual([]);
  });

  it('name everything that does not agree', () => {
    const odd = { ...form, pesel: '85010155587', lastName: 'Nowak', birthDate: '1970-01-02', pep: true };
    expect(flagsOf(odd, customer)).toEqual([
      'PESEL_CHECKSUM',
      'PESEL_BIRTH_DATE',
      'NAME_DIFFERS',
      'BIRTH_DATE_DIFFERS',
      'PEP_DECLARED',
    ]);
  });
});

describe("after the provider's outcome", () => {
  const clean = { openHit: false, pep: false, riskLevel: 'LOW' } as const;
  it.each([
    ['APPROVED', clean, 'ACCEPT'],
    ['APPROVED', { ...clean, riskLevel: 'MEDIUM' }, 'ACCEPT'],
    ['APPROVED', { ...clean, openHit: true }, 'REVIEW'],
    ['APPROVED', { ...clean, pep: true }, 'REVIEW'],
    ['APPROVED', { ...clean, riskLevel: 'HIGH' }, 'REVIEW'],
    ['REJECTED', { ...clean, openHit: true }, 'REJECT'],
    ['REVIEW', clean, 'REVIEW'],
  ] as const)('%s with %j: %s', (outcome, facts, next) => {
    expect(afterProvider(outcome, facts)).toBe(next);
  });
});

describe("the provider's reason", () => {
  it.each([
    [['DATA_MISMATCH'], 'INVALID_CUSTOMER_DATA'],
    [['SUSPECTED_FRAUD'], 'INVALID_CUSTOMER_DATA'],
    [['DOCUMENT_INVALID'], 'INVALID_DOCUMENT_PHOTO'],
    [['DOCUMENT_EXPIRED'], 'INVALID_DOCUMENT_PHOTO'],
    [['DOCUMENT_BLURRED'], 'BLURRED_DOCUMENT_PHOTO'],
    [['FACE_MISMATCH'], 'INVALID_SELFIE'],
    [['SELFIE_INVALID'], 'INVALID_SELFIE'],
    [['SELFIE_BLURRED'], 'BLURRED_SELFIE'],
    [['SELFIE_BLURRED', 'DOCUMENT_BLURRED'], 'BLURRED_DOCUMENT_PHOTO'],
    [['SOMETHING_NEW'], 'INVALID_CUSTOMER_DATA'],
    [[], 'INVALID_CUSTOMER_DATA'],
  ])('%j becomes %s', (reasons, ours) => {
    expect(rejectionReasonOf(reasons)).toBe(ours);
  });
});

describe('a decision by a person', () => {
  it.each([
    ['REVIEW', { decision: 'ACCEPT' }, null],
    ['REVIEW', { decision: 'ACCEPT', reason: 'INVALID_SELFIE' }, 'REASON_NOT_ALLOWED'],
    ['REVIEW', { decision: 'REJECT', reason: 'INVALID_SELFIE' }, null],
    ['REVIEW', { decision: 'REJECT' }, 'REASON_REQUIRED'],
    ['REVIEW', { decision: 'REJECT', reason: 'NO_SUCH' }, 'REASON_REQUIRED'],
    ['PROVIDER', { decision: 'ACCEPT' }, 'NOT_IN_REVIEW'],
    ['CLOSED', { decision: 'ACCEPT' }, 'NOT_IN_REVIEW'],
  ] as const)('in %s, %j: %s', (stage, decision, fault) => {
    expect(decisionFault(stage, { operatorId: 'o-1', ...decision } as never)).toBe(fault);
  });
});

describe('timings', () => {
  it('are five and thirty minutes and a day unless the programme says otherwise', () => {
    const usual = { providerPollMs: 300_000, providerLimitMs: 1_800_000, reviewReminderMs: 86_400_000 };
    expect(verificationTimings()).toEqual(usual);
    expect(verificationTimings({ providerPollMs: 50 })).toEqual({ ...usual, providerPollMs: 50 });
  });
});

describe('who decides', () => {
  it.each([
    ['Admin', ['Admin'], true],
    ['Manager', ['Admin'], false],
    ['Manager', ['Admin', 'Manager'], true],
    ['Employee', ['Admin', 'Manager'], false],
  ] as const)('%s with the roles %j: %j', (role, roles, may) => {
    expect(mayReview(role, roles)).toBe(may);
  });
});
