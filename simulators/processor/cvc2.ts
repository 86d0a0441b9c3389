import { createCipheriv, createHmac } from 'node:crypto';

/**
 * The three-digit card verification value: 3DES over PAN, expiry (`YYMM`) and service code with a
 * double-length key, decimalised (reliability 3.2). CVC2 is the value for service code 000.
 */
export function cardVerificationValue(
  cvk: Buffer,
  pan: string,
  expiryYymm: string,
  serviceCode: string,
): string {
  const data = Buffer.from(`${pan}${expiryYymm}${serviceCode}`.padEnd(32, '0'), 'hex');
  const left = cvk.subarray(0, 8);
  const right = cvk.subarray(8, 16);
  // OpenSSL 3 has no single DES: K, K, K in 3DES is the same function.
  const first = encryptBlock(Buffer.concat([left, left, left]), data.subarray(0, 8));
  const mixed = Buffer.from(first.map((byte, index) => byte ^ (data[8 + index] ?? 0)));
  return decimalise(encryptBlock(Buffer.concat([left, right, left]), mixed)).slice(0, 3);
}

/**
 * The key of one CVC2 version of a card (cards 9): version 0 is the CVK itself, version n the first 16
 * bytes of HMAC-SHA-256(CVK, "cvc2|{processorCardId}|{n}").
 */
export function cvc2Key(cvk: Buffer, processorCardId: string, version: number): Buffer {
  if (version === 0) return cvk;
  return createHmac('sha256', cvk).update(`cvc2|${processorCardId}|${version}`).digest().subarray(0, 16);
}

/** CVC2 of a card; `expiry` is `YYYY-MM`. */
export function cvc2Of(
  cvk: Buffer,
  card: {
    readonly processorCardId: string;
    readonly pan: string;
    readonly expiry: string;
    readonly cvcVersion: number;
  },
): string {
  const key = cvc2Key(cvk, card.processorCardId, card.cvcVersion);
  const expiryYymm = card.expiry.slice(2, 4) + card.expiry.slice(5, 7);
  return cardVerificationValue(key, card.pan, expiryYymm, '000');
}

function encryptBlock(key: Buffer, block: Buffer): Buffer {
  const cipher = createCipheriv('des-ede3-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

function decimalise(block: Buffer): string {
  const nibbles = [...block.toString('hex')];
  const digits = nibbles.filter((nibble) => nibble <= '9');
  const letters = nibbles.filter((nibble) => nibble > '9').map((nibble) => String(parseInt(nibble, 16) - 10));
  return [...digits, ...letters].join('');
}
