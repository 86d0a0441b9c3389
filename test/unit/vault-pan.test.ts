import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPan, panIndex, panIndexes } from '../../vault/pan.ts';
import { testKey, testVault } from '../support/vault.ts';

const PAN = Buffer.from('5555555555554444');

describe('a PAN', () => {
  it.each(['5555555555554444', '4111111111111111', '4222222222222', '6304000000000000000'])(
    '%s is accepted',
    (digits) => expect(isPan(Buffer.from(digits))).toBe(true),
  );

  it.each([
    '5555555555554445',
    '',
    '55554444',
    '5555 5555 5555 4444',
    '555555555555444x',
    '41111111111111111111',
  ])('"%s" is refused', (digits) => expect(isPan(Buffer.from(digits))).toBe(false));

  it('is refused with any one digit changed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 1, max: 9 }), (at, by) => {
        const changed = Buffer.from(PAN);
        changed[at] = 0x30 + (((changed[at] ?? 0) - 0x30 + by) % 10);
        expect(isPan(changed)).toBe(false);
      }),
    );
  });
});

describe('the PAN index', () => {
  it('is the same for one PAN and tells nothing of it', () => {
    const vault = testVault();
    const { index, version } = panIndex(vault, PAN);
    expect(panIndex(vault, Buffer.from(PAN)).index).toEqual(index);
    expect(version).toBe(1);
    expect(index).toHaveLength(32);
  });

  it('is found under every live version of its key', () => {
    const before = panIndex(testVault(), PAN);
    const rotating = testVault({ moreKeys: [testKey('pan-index', 2)] });
    expect(panIndex(rotating, PAN).version).toBe(2);
    expect(panIndexes(rotating, PAN)).toContainEqual(before.index);
    expect(panIndexes(rotating, PAN)).toContainEqual(panIndex(rotating, PAN).index);
  });
});
