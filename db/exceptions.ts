import { type Kysely, type Selectable, sql } from 'kysely';
import { type ExceptionEffect, severityOf } from '../domain/decision.ts';
import { newId, type Trx } from './atomically.ts';
import type { Database, ExceptionsTable } from './database.ts';

export type ExceptionRow = Selectable<ExceptionsTable>;

export interface NewException extends ExceptionEffect {
  readonly partnerId: number | null;
  readonly transactionId: string | null;
  readonly recordId: string | null;
}

/** Puts something before people (authorization 13); INFO ones are born resolved. Answers its id. Engine only. */
export async function raiseException(trx: Trx, exception: NewException): Promise<string> {
  const severity = severityOf(exception.kind);
  const id = newId(trx);
  await trx
    .insertInto('exceptions')
    .values({
      exception_id: id,
      partner_id: exception.partnerId,
      kind: exception.kind,
      severity,
      state: severity === 'INFO' ? 'RESOLVED' : 'OPEN',
      transaction_id: exception.transactionId,
      record_id: exception.recordId,
      values: JSON.stringify(exception.values),
    })
    .execute();
  return id;
}

export interface ExceptionFilter {
  /** Null or absent: those of all partners, and those that belong to none. */
  readonly partnerId?: number | null | undefined;
  readonly kind?: string | undefined;
  readonly state?: ExceptionRow['state'] | undefined;
  readonly severity?: ExceptionRow['severity'] | undefined;
  readonly transactionId?: string | undefined;
  /** Clearing file that the values name. */
  readonly fileId?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** One exception, or undefined. */
export const findException = async (
  db: Kysely<Database>,
  exceptionId: string,
): Promise<ExceptionRow | undefined> =>
  await db.selectFrom('exceptions').selectAll().where('exception_id', '=', exceptionId).executeTakeFirst();

/** Exceptions, newest first; `before` is the id of the last one of the page before. */
export async function listExceptions(db: Kysely<Database>, filter: ExceptionFilter): Promise<ExceptionRow[]> {
  let query = db.selectFrom('exceptions').selectAll();
  const { partnerId } = filter;
  if (partnerId !== undefined && partnerId !== null) query = query.where('partner_id', '=', partnerId);
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.severity !== undefined) query = query.where('severity', '=', filter.severity);
  if (filter.transactionId !== undefined) query = query.where('transaction_id', '=', filter.transactionId);
  if (filter.fileId !== undefined) query = query.where(sql`values ->> 'fileId'`, '=', filter.fileId);
  if (filter.before !== undefined) query = query.where('exception_id', '<', filter.before);
  return await query.orderBy('exception_id', 'desc').limit(filter.limit).execute();
}
