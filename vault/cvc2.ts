import { createCipheriv, createHmac } from 'node:crypto';

const CVC2_SERVICE_CODE = '000';
const BLOCK_BYTES = 8;
const CVC_DIGITS = 3;
const ZERO = 0x30;

export type ExpiryOrder = 'YYMM' | 'MMYY';

/** What a card verification code is made from. `pan` and `serviceCode` are decimal digits as ASCII. */
interface CvcInput {
  readonly pan: Uint8Array;
  /** Four digits in the order that the processor uses. */
  readonly expiry: string;
  readonly serviceCode: string;
}

/**
 * Card verification code of a double-length key (16 bytes): track value, iCVV or CVC2 by the service code
 * (reliability 3.2). Three digits.
 */
export function cardVerificationCode(cvk: Uint8Array, { pan, expiry, serviceCode }: CvcInput): string {
  const left = cvk.subarray(0, BLOCK_BYTES);
  const right = cvk.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES);
  const blocks = packDigits(pan, Buffer.from(expiry + serviceCode, 'latin1'));
  // OpenSSL 3 has no single DES; encrypting thrice with one key is the same.
  const first = desEde3([left, left, left], blocks.subarray(0, BLOCK_BYTES));
  const mixed = first.map((byte, at) => byte ^ (blocks[BLOCK_BYTES + at] ?? 0));
  const result = desEde3([left, right, left], mixed);
  blocks.fill(0);
  return decimalDigits(result.toString('hex')).slice(0, CVC_DIGITS);
}

/** CVC2 of a card: service code 000 (cards 9). `expiryDate` is YYYY-MM-DD. */
export function cvc2(cvk: Uint8Array, pan: Uint8Array, expiryDate: string, order: ExpiryOrder): string {
  const year = expiryDate.slice(2, 4);
  const month = expiryDate.slice(5, 7);
  const expiry = order === 'YYMM' ? year + month : month + year;
  return cardVerificationCode(cvk, { pan, expiry, serviceCode: CVC2_SERVICE_CODE });
}

/**
 * The key of one CVC2 version of one card: version 0 is the CVK itself (what a bureau prints), later ones are
 * derived, so that both sides know the new value without sending it (cards 9).
 */
export function cvc2Key(cvk: Uint8Array, processorCardId: string, cvcVersion: number): Buffer {
  if (cvcVersion === 0) return Buffer.from(cvk);
  const derived = createHmac('sha256', cvk).update(`cvc2|${processorCardId}|${cvcVersion}`).digest();
  return derived.subarray(0, 2 * BLOCK_BYTES);
}

/** Digits as half-bytes, filled with zeros to 16 bytes. */
function packDigits(...parts: readonly Uint8Array[]): Buffer {
  const packed = Buffer.alloc(2 * BLOCK_BYTES);
  let at = 0;
  for (const part of parts) {
    for (const digit of part) {
      const index = at >> 1;
      packed[index] = (packed[index] ?? 0) | ((digit - ZERO) << (at % 2 === 0 ? 4 : 0));
      at += 1;
    }
  }
  return packed;
}

function desEde3(keys: readonly Uint8Array[], block: Uint8Array): Buffer {
  const key = Buffer.concat(keys);
  const cipher = createCipheriv('des-ede3-ecb', key, null).setAutoPadding(false);
  key.fill(0);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

/** Decimal digits from left to right, then the hexadecimal letters, each less ten. */
function decimalDigits(hex: string): string {
  const letters = [...hex].filter((one) => one >= 'a').map((one) => String(one.charCodeAt(0) - 0x61));
  return hex.replace(/[a-f]/g, '') + letters.join('');
}
