import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cardVerificationCode, cvc2, cvc2Key } from '../../vault/cvc2.ts';
import { keyRing } from '../../vault/key-ring.ts';
import { createSoftwareModule } from '../../vault/module.ts';

const cvk = Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex');
const pan = Buffer.from('4123456789012345');

describe('card verification codes', () => {
  it.each([
    { name: 'track', serviceCode: '101', expected: '561' },
    { name: 'track, other service code', serviceCode: '111', expected: '856' },
    { name: 'CVC2', serviceCode: '000', expected: '636' },
    { name: 'iCVV', serviceCode: '999', expected: '651' },
  ])('$name: service code $serviceCode gives $expected', ({ serviceCode, expected }) => {
    expect(cardVerificationCode(cvk, { pan, expiry: '8701', serviceCode })).toBe(expected);
  });

  it('gives 361 for a key of nines and eights', () => {
    const key = Buffer.from('9'.repeat(16) + '8'.repeat(16), 'hex');
    const twos = Buffer.from('2'.repeat(16));
    expect(cardVerificationCode(key, { pan: twos, expiry: '3333', serviceCode: '111' })).toBe('361');
  });

  it('takes the expiry date in the order of the processor', () => {
    const monthFirst = cardVerificationCode(cvk, { pan, expiry: '0187', serviceCode: '000' });
    expect(cvc2(cvk, pan, '1987-01-31', 'YYMM')).toBe('636');
    expect(cvc2(cvk, pan, '1987-01-31', 'MMYY')).toBe(monthFirst);
    expect(monthFirst).not.toBe('636');
  });
});

describe('CVC2 versions', () => {
  it('uses the key as it is for version 0', () => {
    expect(cvc2Key(cvk, 'pc_1', 0)).toEqual(cvk);
  });

  it('derives another key for each card and version', () => {
    const keys = [cvc2Key(cvk, 'pc_1', 1), cvc2Key(cvk, 'pc_1', 2), cvc2Key(cvk, 'pc_2', 1)];
    expect(new Set(keys.map((one) => one.toString('hex'))).size).toBe(3);
    for (const key of keys) expect(key).toHaveLength(16);
  });
});

describe('the module', () => {
  const module = createSoftwareModule({
    cvk: keyRing(new Map([[1, createSecretKey(cvk)]])),
    cvc2ExpiryOrder: 'YYMM',
  });
  const subject = { pan, expiryDate: '1987-01-31', processorCardId: 'pc_1', cvkVersion: 1, cvcVersion: 0 };

  it('verifies what it generates', async () => {
    expect(await module.generateCvc2(subject)).toBe('636');
    expect(await module.verifyCvc2(subject, '636')).toBe(true);
  });

  it.each(['637', '', '63', '6366', '６３６'])('refuses another code', async (candidate) => {
    expect(await module.verifyCvc2(subject, candidate)).toBe(false);
  });

  it('names the version of a key it lacks', async () => {
    await expect(module.generateCvc2({ ...subject, cvkVersion: 9 })).rejects.toThrow(
      'key cvk version 9 is missing',
    );
  });

  it('shows no key when it is printed', () => {
    expect(JSON.stringify(module)).not.toMatch(/0123456789abcdef/i);
  });
});
