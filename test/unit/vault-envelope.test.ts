import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newDataKey, open, openDataKey, type Place, seal } from '../../vault/envelope.ts';
import { VaultFault } from '../../vault/errors.ts';
import { type KeyRing, keyRing } from '../../vault/key-ring.ts';

const ring = (...versions: number[]): KeyRing =>
  keyRing(new Map(versions.map((version) => [version, createSecretKey(randomBytes(32))])));
const place: Place = { partnerId: 1, table: 'vault.cards', rowId: '1001', field: 'pan' };

describe('a sealed value', () => {
  it('opens to what was sealed, at its place only', () => {
    const places = fc.record({
      partnerId: fc.option(fc.integer({ min: 1 }), { nil: null }),
      table: fc.string(),
      rowId: fc.string(),
      field: fc.string(),
    });
    const kek = ring(1);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), places, places, (plaintext, here, there) => {
        const sealed = seal(kek, here, plaintext);
        expect([...open(kek, here, sealed)]).toEqual([...plaintext]);
        fc.pre(JSON.stringify(here) !== JSON.stringify(there));
        expect(() => open(kek, there, sealed)).toThrow(VaultFault);
      }),
    );
  });

  it('does not open when any single byte is changed', () => {
    const key = ring(1);
    const sealed = seal(key, place, Buffer.from('5555444455554444'));
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => open(key, place, changed), `byte ${at}`).toThrow(VaultFault);
    }
  });

  it.each([0, 1, 5, 17, 32])('does not open when only %i bytes are left', (length) => {
    const key = ring(1);
    const sealed = seal(key, place, Buffer.from('5555444455554444'));
    expect(() => open(key, place, sealed.subarray(0, length))).toThrow(VaultFault);
  });

  it.each<Partial<Place>>([
    { partnerId: 2 },
    { partnerId: null },
    { table: 'vault.keys' },
    { rowId: '1002' },
    { field: 'dek' },
  ])('does not open at another place: %o', (other) => {
    const key = ring(1);
    const sealed = seal(key, place, Buffer.from('5555444455554444'));
    expect(() => open(key, { ...place, ...other }, sealed)).toThrow(VaultFault);
  });

  it('never shows the value, and differs each time', () => {
    const key = ring(1);
    const first = seal(key, place, Buffer.from('5555444455554444'));
    expect(first.includes('5555')).toBe(false);
    expect(seal(key, place, Buffer.from('5555444455554444')).equals(first)).toBe(false);
  });
});

describe('key versions', () => {
  it('seals with the newest and opens with every version', () => {
    const old = ring(1);
    const both = keyRing(new Map([...old.keys, ...ring(2).keys]));
    const sealedBefore = seal(old, place, Buffer.from('before'));
    const sealedAfter = seal(both, place, Buffer.from('after'));
    expect(open(both, place, sealedBefore).toString()).toBe('before');
    expect(open(both, place, sealedAfter).toString()).toBe('after');
    expect(() => open(old, place, sealedAfter)).toThrow(VaultFault);
  });

  it('refuses a version relabelled to another key', () => {
    const key = createSecretKey(randomBytes(32));
    const same = keyRing(new Map([1, 2].map((version) => [version, key])));
    const sealed = seal(same, place, Buffer.from('x'));
    sealed.writeUInt32BE(1, 1);
    expect(() => open(same, place, sealed)).toThrow(VaultFault);
  });
});

describe('a data key', () => {
  it('opens under the same key encryption key and place only', () => {
    const kek = ring(1);
    const { dataKey, wrapped, kekVersion } = newDataKey(kek, place);
    const sealed = seal(dataKey, place, Buffer.from('value'));
    expect(kekVersion).toBe(1);
    expect(open(openDataKey(kek, place, wrapped), place, sealed).toString()).toBe('value');
    expect(() => openDataKey(ring(1), place, wrapped)).toThrow(VaultFault);
    expect(() => openDataKey(kek, { ...place, rowId: '1002' }, wrapped)).toThrow(VaultFault);
  });
});
