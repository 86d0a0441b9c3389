import type { DatabaseSync } from 'node:sqlite';

/** A lock on a card; `code` 1 to 8 and 11 (cards 4.5). */
export interface CardLock {
  readonly code: number;
  readonly placedBy: 'platform' | 'processor';
  readonly at: string;
}

/** A card as the processor keeps it. `expiry` is `YYYY-MM`; `externalCardId` the platform's id as text. */
export interface ProcessorCard {
  readonly processorCardId: string;
  readonly reference: string;
  readonly externalCardId: string;
  readonly productId: string;
  readonly currency: string;
  readonly holderName: string;
  readonly pan: string;
  readonly expiry: string;
  readonly cvcVersion: number;
  readonly locks: readonly CardLock[];
  readonly createdAt: string;
}

export interface Cards {
  insert(card: ProcessorCard): void;
  byId(processorCardId: string): ProcessorCard | null;
  byReference(reference: string): ProcessorCard | null;
  /** The newest card that the platform knows under this id. */
  byExternalId(externalCardId: string): ProcessorCard | null;
  newestFirst(limit: number): readonly ProcessorCard[];
  setLocks(processorCardId: string, locks: readonly CardLock[]): void;
  setCvcVersion(processorCardId: string, version: number): void;
  /** Reserves a number for good; false when it was used before, also before a reset. */
  reserveNumber(number: string): boolean;
}

type Row = Record<string, string | number>;

const COLUMNS =
  'processor_card_id, reference, external_card_id, product_id, currency, holder_name, pan, expiry, cvc_version, locks, created_at';

/** Cards kept in `database`. */
export function openCards(database: DatabaseSync): Cards {
  const insert = database.prepare(`INSERT INTO cards (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const select = (where: string) => database.prepare(`SELECT ${COLUMNS} FROM cards ${where}`);
  const byId = select('WHERE processor_card_id = ?');
  const byReference = select('WHERE reference = ?');
  const byExternalId = select('WHERE external_card_id = ? ORDER BY sequence DESC LIMIT 1');
  const newest = select('ORDER BY sequence DESC LIMIT ?');
  const setLocks = database.prepare('UPDATE cards SET locks = ? WHERE processor_card_id = ?');
  const setCvcVersion = database.prepare('UPDATE cards SET cvc_version = ? WHERE processor_card_id = ?');
  const reserve = database.prepare('INSERT INTO used_numbers (number) VALUES (?) ON CONFLICT DO NOTHING');
  const one = (row: unknown): ProcessorCard | null => (row === undefined ? null : toCard(row as Row));
  return {
    insert: (card) =>
      void insert.run(
        card.processorCardId,
        card.reference,
        card.externalCardId,
        card.productId,
        card.currency,
        card.holderName,
        card.pan,
        card.expiry,
        card.cvcVersion,
        JSON.stringify(card.locks),
        card.createdAt,
      ),
    byId: (id) => one(byId.get(id)),
    byReference: (reference) => one(byReference.get(reference)),
    byExternalId: (id) => one(byExternalId.get(id)),
    newestFirst: (limit) => newest.all(limit).map((row) => toCard(row as Row)),
    setLocks: (id, locks) => void setLocks.run(JSON.stringify(locks), id),
    setCvcVersion: (id, version) => void setCvcVersion.run(version, id),
    reserveNumber: (number) => reserve.run(number).changes === 1,
  };
}

/** What the processor tells about a card's state. */
export const cardStatus = (card: ProcessorCard): 'ACTIVE' | 'LOCKED' =>
  card.locks.length === 0 ? 'ACTIVE' : 'LOCKED';

function toCard(row: Row): ProcessorCard {
  return {
    processorCardId: String(row['processor_card_id']),
    reference: String(row['reference']),
    externalCardId: String(row['external_card_id']),
    productId: String(row['product_id']),
    currency: String(row['currency']),
    holderName: String(row['holder_name']),
    pan: String(row['pan']),
    expiry: String(row['expiry']),
    cvcVersion: Number(row['cvc_version']),
    locks: JSON.parse(String(row['locks'])) as CardLock[],
    createdAt: String(row['created_at']),
  };
}
