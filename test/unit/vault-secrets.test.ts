import { describe, expect, it } from 'vitest';
import { hashCode, isCode, newCode } from '../../vault/one-time-code.ts';
import { hashSecret, isSecret } from '../../vault/password.ts';
import { newToken, tokenHashes } from '../../vault/session-token.ts';
import { testKey, testVault } from '../support/vault.ts';

const vault = testVault();
/** With newer keys: what was hashed under them means nothing to a vault without. */
const newer = testVault({ moreKeys: [testKey('token', 2), testKey('pepper', 2)] });

describe('a password in the vault', () => {
  it('is known again, with any way to write its accents, and nothing else is', async () => {
    const stored = await hashSecret(vault, 'crème brûlée at nine');
    expect(await isSecret(vault, 'crème brûlée at nine'.normalize('NFD'), stored)).toBe(true);
    expect(await isSecret(vault, 'creme brulee at nine', stored)).toBe(false);
  });

  it('is stored with a salt of its own, without the password', async () => {
    const [one, two] = await Promise.all([hashSecret(vault, 'same words'), hashSecret(vault, 'same words')]);
    expect(one).not.toBe(two);
    expect(one).toMatch(/^s1\.1\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/);
  });

  it('cannot be checked without the pepper', async () => {
    await expect(isSecret(vault, 'same words', await hashSecret(newer, 'same words'))).rejects.toThrow(
      'pepper',
    );
    expect(await isSecret(newer, 'same words', await hashSecret(vault, 'same words'))).toBe(true);
  });

  it('costs an unknown account the same work', async () => {
    const stored = await hashSecret(vault, 'same words');
    const timeOf = async (given: string | null): Promise<number> => {
      const startedAt = performance.now();
      for (let round = 0; round < 3; round += 1) expect(await isSecret(vault, 'guess', given)).toBe(false);
      return performance.now() - startedAt;
    };
    await timeOf(stored);
    const [known, unknown] = [await timeOf(stored), await timeOf(null)];
    expect(unknown).toBeGreaterThan(known / 4);
  });
});

describe('a one-time code', () => {
  it('has its digits, leading zeros too', () => {
    const codes = Array.from({ length: 300 }, () => newCode(4));
    expect(codes.every((code) => /^[0-9]{4}$/.test(code))).toBe(true);
    expect(codes.some((code) => code.startsWith('0'))).toBe(true);
  });

  it('opens only what it was sent for, under the key it was hashed with', () => {
    const stored = hashCode(vault, 'login:1', '0042');
    expect(isCode(vault, 'login:1', '0042', stored)).toBe(true);
    expect(isCode(vault, 'login:2', '0042', stored)).toBe(false);
    expect(isCode(vault, 'login:1', '0043', stored)).toBe(false);
    expect(isCode(newer, 'login:1', '0042', stored)).toBe(true);
    expect(isCode(vault, 'login:1', '0042', hashCode(newer, 'login:1', '0042'))).toBe(false);
  });
});

describe('a token', () => {
  it('is found by its hash under every living key, and only as its own kind', () => {
    const { token, hash } = newToken(vault, 'ost');
    expect(token).toMatch(/^ost_[A-Za-z0-9_-]{43}$/);
    expect(tokenHashes(vault, 'ost', token)).toEqual([hash]);
    expect(tokenHashes(vault, 'cst', token)).toEqual([]);
    expect(tokenHashes(newer, 'ost', token)).toHaveLength(2);
    expect(tokenHashes(newer, 'ost', token)[1]).toEqual(hash);
  });
});
