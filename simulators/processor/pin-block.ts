import { createCipheriv, randomBytes } from 'node:crypto';

/**
 * An ISO 9564 format 4 PIN block under an AES-128 key: E(E(PIN field) xor PAN field), hex. `fill` are the
 * 8 random bytes behind the PIN field; only the test of the published vector gives them.
 */
export function isoFormat4PinBlock(
  key: Buffer,
  pin: string,
  pan: string,
  fill: Buffer = randomBytes(8),
): string {
  const pinDigits = `4${pin.length.toString(16)}${pin}`.padEnd(16, 'a');
  const pinField = Buffer.concat([Buffer.from(pinDigits, 'hex'), fill]);
  const panField = Buffer.from(`${pan.length - 12}${pan}`.padEnd(32, '0'), 'hex');
  const inner = encryptBlock(key, pinField);
  return encryptBlock(key, Buffer.from(inner.map((byte, index) => byte ^ (panField[index] ?? 0))))
    .toString('hex')
    .toUpperCase();
}

function encryptBlock(key: Buffer, block: Buffer): Buffer {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}
