import { createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal } from '../domain/errors.ts';
import { newestKey } from '../vault/key-ring.ts';
import type { Vault } from '../vault/vault.ts';

const LIFE_MS = 24 * 60 * 60 * 1000;
const TAG_BYTES = 16;

/** What a cursor belongs to: it is refused anywhere else. */
export interface CursorPlace {
  readonly principal: string;
  readonly operation: string;
  /** Path and filters of the list, without limit and cursor. */
  readonly filters: unknown;
}

interface Position {
  readonly at: string;
  readonly untilMs: number;
}

/** An opaque cursor for "what comes after `at`", good for 24 hours, bound to caller, route and filters. */
export function writeCursor(vault: Vault, place: CursorPlace, at: string | number, nowMs: number): string {
  const position = Buffer.from(JSON.stringify({ at: String(at), untilMs: nowMs + LIFE_MS }));
  return Buffer.concat([tagOf(vault, place, position), position]).toString('base64url');
}

/** The position in a cursor; undefined without one. Throws `INVALID_CURSOR`. */
export function readCursor(
  vault: Vault,
  place: CursorPlace,
  cursor: string | undefined,
  nowMs: number,
): string | undefined {
  if (cursor === undefined) return undefined;
  const bytes = Buffer.from(cursor, 'base64url');
  const position = bytes.subarray(TAG_BYTES);
  if (
    bytes.length > TAG_BYTES &&
    timingSafeEqual(bytes.subarray(0, TAG_BYTES), tagOf(vault, place, position))
  ) {
    const { at, untilMs } = JSON.parse(position.toString('utf8')) as Position;
    if (untilMs > nowMs) return at;
  }
  throw new Refusal(
    'INVALID_CURSOR',
    'This cursor is expired or belongs to another list. Start again without it.',
  );
}

const tagOf = (vault: Vault, place: CursorPlace, position: Uint8Array): Buffer =>
  createHmac('sha256', newestKey(vault.token))
    .update(JSON.stringify(['cursor', place.principal, place.operation, place.filters]))
    .update(position)
    .digest()
    .subarray(0, TAG_BYTES);

/**
 * One page of a list: asks `read` for one row more than wanted, so that `nextCursor` is null exactly at the
 * end. `positionOf` is the sort key of a row.
 */
export async function readPage<Row, Item>(
  vault: Vault,
  place: CursorPlace,
  page: { readonly limit: number; readonly cursor?: string | undefined },
  nowMs: number,
  read: (before: string | undefined, limit: number) => Promise<readonly Row[]>,
  positionOf: (row: Row) => string | number,
  toItem: (row: Row) => Item,
): Promise<{ items: Item[]; nextCursor: string | null }> {
  const rows = await read(readCursor(vault, place, page.cursor, nowMs), page.limit + 1);
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return {
    items: shown.map(toItem),
    nextCursor: more ? writeCursor(vault, place, positionOf(last), nowMs) : null,
  };
}
