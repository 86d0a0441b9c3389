import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import type { UploadedFile } from '../route.ts';

extendZodWithOpenApi(z);

import * as members from '../../db/person-schema.ts';

const { text, isCalendarDay } = members;
export { isCalendarDay, text };

/** A word of a closed list, read without regard to case and handed on as the list writes it. */
export const word = <const W extends string>(words: readonly [W, ...W[]]) =>
  members.word(words).openapi({ type: 'string', enum: [...words] });

/** UUID version 4, any case in, lower case out. */
export const uuid = () =>
  z
    .string({ error: 'must be a UUID' })
    .transform((value) => value.toLowerCase())
    .pipe(
      z
        .string()
        .regex(
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
          'must be a UUID (version 4)',
        ),
    )
    .openapi({ type: 'string', format: 'uuid' });

/** User and card ids: a positive safe integer, also as text. */
export const integerId = () =>
  z
    .union([z.number(), z.string().regex(/^[0-9]{1,16}$/, 'must be a whole number from 1')], {
      error: 'must be a whole number from 1',
    })
    .transform((value) => Number(value))
    .pipe(
      z
        .number()
        .int('must be a whole number from 1')
        .min(1, 'must be a whole number from 1')
        .max(Number.MAX_SAFE_INTEGER, 'must be a whole number below 2^53'),
    )
    .openapi({ type: 'integer', minimum: 1 });

/** An id in a path: digits only. */
export const pathIntegerId = () =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,15}$/, 'must be a whole number from 1')
    .transform(Number)
    .pipe(z.number().max(Number.MAX_SAFE_INTEGER, 'must be a whole number below 2^53'))
    .openapi({ type: 'integer', minimum: 1 });

/** Minor units of a currency, from 1. */
export const amount = () =>
  z
    .number({ error: 'must be a whole number of minor units' })
    .int('must be a whole number of minor units')
    .min(1, 'must be at least 1')
    .max(Number.MAX_SAFE_INTEGER, 'must be below 2^53')
    .openapi({ type: 'integer', minimum: 1 });

/** An amount of minor units in a query. */
export const queryAmount = () =>
  z
    .string()
    .regex(/^[0-9]{1,16}$/, 'must be a whole number of minor units')
    .transform(Number)
    .pipe(z.number().max(Number.MAX_SAFE_INTEGER, 'must be below 2^53'))
    .openapi({ type: 'integer', minimum: 0 });

/** ISO 4217 alpha-3, any case in, upper case out. */
export const currencyCode = () =>
  z
    .string({ error: 'must be an ISO 4217 code' })
    .transform((value) => value.trim().toUpperCase())
    .pipe(z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code of three letters'))
    .openapi({ type: 'string', example: 'EUR' });

const KNOWN_CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

/** As `currencyCode`, and one that exists: for what no programme's list of currencies has to allow. */
export const knownCurrency = () =>
  currencyCode().refine((code) => KNOWN_CURRENCIES.has(code), 'must be an ISO 4217 code');

/** A whole number of a setting. */
export const wholeFrom = (min: number, max: number) => {
  const told = `must be from ${min} to ${max}`;
  return z.int(told).min(min, told).max(max, told);
};

export const yesOrNo = () => z.boolean({ error: 'must be true or false' });

/** `true` or `false` in a query. */
export const flag = () => word(['true', 'false']).transform((value) => value === 'true');

/** A real calendar day, `YYYY-MM-DD`. */
export const day = () => members.day().openapi({ type: 'string', format: 'date' });

/** ISO 8601 date and time with its offset, as a `Date`. */
export const dateTime = () =>
  z.iso
    .datetime({ offset: true, error: 'must be a date and time, for example 2026-01-31T10:00:00.000Z' })
    .transform((value) => new Date(value))
    .openapi({ type: 'string', format: 'date-time' });

const LONGEST_SPAN_MS = 400 * 24 * 60 * 60 * 1000;

/** `from` (inclusive) and `to` (exclusive) of a list, to be spread into the object that `withinSpan` takes. */
export const timeSpan = { from: dateTime().optional(), to: dateTime().optional() };

/** Refuses a span that ends before it starts or is longer than 400 days (money 4.6). */
export const withinSpan = <
  T extends { from?: Date | undefined; to?: Date | undefined },
  S extends z.ZodType<T>,
>(
  schema: S,
): S =>
  schema.superRefine(({ from, to }, context) => {
    if (from === undefined || to === undefined) return;
    const span = to.getTime() - from.getTime();
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['to'], message });
    if (span < 0) refuse('must not be before from');
    if (span > LONGEST_SPAN_MS) refuse('must be at most 400 days after from');
  });

/** The code by which a programme is named (channels 10). */
export const issuerCode = () =>
  z
    .string({ error: 'must be an Issuer-Code' })
    .regex(/^[A-Za-z0-9_-]{1,32}$/, 'must be 1 to 32 letters, digits, _ and -');

/** configId: digits with their leading zeros. */
export const configId = () =>
  z.string({ error: 'must be a text of digits' }).regex(/^[0-9]{1,20}$/, 'must be 1 to 20 digits');

/** A file of a multipart form. */
export const file = () =>
  z
    .custom<UploadedFile>(
      (value) => typeof value === 'object' && value !== null && 'bytes' in value,
      'must be a file',
    )
    .openapi({ type: 'string', format: 'binary' });

/** `limit` and `cursor` of a list (channels 6), to be spread into a query object. */
export const page = {
  limit: z
    .string()
    .regex(/^[0-9]{1,3}$/, 'must be from 1 to 200')
    .transform(Number)
    .pipe(z.number().min(1, 'must be from 1 to 200').max(200, 'must be from 1 to 200'))
    .default(50)
    .openapi({ type: 'integer', minimum: 1, maximum: 200, default: 50 }),
  cursor: z.string().max(500).optional(),
};

/** A list answer. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });

export const date = () => z.string().openapi({ type: 'string', format: 'date-time' });

/** Body of the lock calls of users and corporations; it may be left out. */
export const lockReasonBody = z.strictObject({ reason: text(1, 255).nullish() });

/** The object that carries an encrypted body or answer. */
export const envelope = z.strictObject({ payload: z.string() });

export { z };
