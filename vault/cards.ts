import type { Kysely, Transaction } from 'kysely';
import {
  type CardAccess,
  findCardByIndex,
  readSealedCard,
  type ReadReason,
  storeSealedCard,
  type StoreOutcome,
} from './card-rows.ts';
import { newDataKey, open, openDataKey, type Place, seal } from './envelope.ts';
import { VaultFault } from './errors.ts';
import { encryptBytes } from './jwe.ts';
import type { Cvc2Subject } from './module.ts';
import { panIndex, panIndexes, requirePan } from './pan.ts';
import type { RecipientKey } from './recipient-key.ts';
import type { Vault } from './vault.ts';

/** A card as the processor made it. `pan` is decimal digits as ASCII; its buffer is the caller's to zero. */
export interface NewCard extends CardAccess {
  readonly processorCardId: string;
  readonly pan: Uint8Array;
  /** Last day of the last month of validity, YYYY-MM-DD. */
  readonly expiryDate: string;
  /** The processor's own CVC2 where it sends one: it is compared and forgotten. */
  readonly cvc2?: string;
}

export interface StoredCard {
  readonly outcome: StoreOutcome;
  readonly bin: string;
  readonly lastFourDigits: string;
  /** False means that the processor's key differs from ours; null when it sent no CVC2. */
  readonly cvc2Agrees: boolean | null;
}

export interface FullCardRequest extends CardAccess {
  readonly recipientKey: RecipientKey;
  /** Every other member of the wire's card object; number, code and expiry are added here. */
  readonly card: Readonly<Record<string, unknown>>;
}

const BIN_DIGITS = 6;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

const placeOf = ({ partnerId, cardId }: CardAccess, field: 'pan' | 'dek'): Place => ({
  partnerId,
  table: 'vault.cards',
  rowId: String(cardId),
  field,
});

/**
 * Keeps a new card in the caller's transaction: the PAN under a data key of its own, its keyed index, nothing
 * of the CVC2. Repeating it is harmless. Throws a `VaultFault` for what is no PAN or no date.
 */
export async function storeCard<DB>(trx: Transaction<DB>, vault: Vault, card: NewCard): Promise<StoredCard> {
  requirePan(card.pan);
  if (!DATE.test(card.expiryDate)) throw new VaultFault('an expiry date is not YYYY-MM-DD');
  const { processorCardId, expiryDate, pan } = card;
  const { index, version } = panIndex(vault, pan);
  const { dataKey, wrapped, kekVersion } = newDataKey(vault.kek, placeOf(card, 'dek'));
  const subject: Cvc2Subject = {
    pan,
    expiryDate,
    processorCardId,
    cvkVersion: vault.module.cvkVersion,
    cvcVersion: 0,
  };
  const outcome = await storeSealedCard(trx, card, {
    ...subject,
    panIndex: index,
    panIndexVersion: version,
    panCiphertext: seal(dataKey, placeOf(card, 'pan'), pan),
    wrapped,
    kekVersion,
  });
  return {
    outcome,
    bin: ascii(pan.subarray(0, BIN_DIGITS)),
    lastFourDigits: ascii(pan.subarray(-4)),
    cvc2Agrees: card.cvc2 === undefined ? null : await vault.module.verifyCvc2(subject, card.cvc2),
  };
}

/**
 * The full card object (`cardNo`, `cvv`, `exp` beside the caller's members) as a compact JWE for one
 * recipient: the only way a PAN leaves. The access is recorded in the same transaction; send the answer only
 * after it committed. Null when the partner has no such card.
 */
export async function encryptFullCard<DB>(
  trx: Transaction<DB>,
  vault: Vault,
  request: FullCardRequest,
): Promise<string | null> {
  return await withCard(trx, vault, request, 'FULL_DATA', async (subject) => {
    const code = await vault.module.generateCvc2(subject);
    const plaintext = fullCardBytes(request.card, subject, code);
    try {
      return await encryptBytes(request.recipientKey, plaintext);
    } finally {
      plaintext.fill(0);
    }
  });
}

/** Whether `candidate` is the card's CVC2; null when the partner has no such card. The access is recorded. */
export async function verifyCardCvc2<DB>(
  trx: Transaction<DB>,
  vault: Vault,
  request: CardAccess & { readonly candidate: string },
): Promise<boolean | null> {
  return await withCard(trx, vault, request, 'CVC2_CHECK', (subject) =>
    vault.module.verifyCvc2(subject, request.candidate),
  );
}

/** The card of a PAN (decimal digits as ASCII) over all partners; needs a connection of cardloom_engine. */
export async function findByPan<DB>(
  db: Kysely<DB>,
  vault: Vault,
  pan: Uint8Array,
): Promise<{ readonly cardId: number; readonly partnerId: number } | null> {
  return await findCardByIndex(db, panIndexes(vault, pan));
}

async function withCard<DB, T>(
  trx: Transaction<DB>,
  vault: Vault,
  access: CardAccess,
  reason: ReadReason,
  use: (subject: Cvc2Subject) => Promise<T>,
): Promise<T | null> {
  const sealed = await readSealedCard(trx, access, reason);
  if (sealed === null) return null;
  const dataKey = openDataKey(vault.kek, placeOf(access, 'dek'), sealed.wrapped);
  const pan = open(dataKey, placeOf(access, 'pan'), sealed.panCiphertext);
  try {
    const { expiryDate, processorCardId, cvkVersion, cvcVersion } = sealed;
    return await use({ pan, expiryDate, processorCardId, cvkVersion, cvcVersion });
  } finally {
    pan.fill(0);
  }
}

/** Put together from bytes: a string with the PAN could not be zeroed afterwards. */
function fullCardBytes(
  card: Readonly<Record<string, unknown>>,
  { pan, expiryDate }: Cvc2Subject,
  code: string,
): Buffer {
  const head = Buffer.from(JSON.stringify({ ...card, exp: expiryDate, cvv: code }).slice(0, -1));
  return Buffer.concat([head, Buffer.from(',"cardNo":"'), pan, Buffer.from('"}')]);
}

const ascii = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
