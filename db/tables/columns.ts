import type { ColumnType, JSONColumnType } from 'kysely';

/** Set when the row is made, never changed. */
export type CreatedAt = ColumnType<Date, Date | undefined, never>;
export type Json<T extends object> = JSONColumnType<T, string, string>;
/** A document that need not be there. */
export type OptionalJson<T extends object> = ColumnType<T | null, string | null | undefined, string | null>;
