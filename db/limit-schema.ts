import { z } from 'zod';
import { documentFaults } from '../domain/limit-document.ts';
import { LIMIT_TYPES, type LimitDocument, TIME_UNITS } from '../domain/limit.ts';

// Channels and commands both put limit documents, and neither may import the other: the shape stands where the
// document is stored.

/** A list in the row of a card is read by each of its authorizations. */
const MOST_LISTED = 300;

const word = <const W extends string>(words: readonly [W, ...W[]]) =>
  z.preprocess(
    (value) => words.find((one) => typeof value === 'string' && one === value.trim().toLowerCase()) ?? value,
    z.enum(words, { error: `must be one of ${words.join(', ')}` }),
  );

const minor = (least: 0 | 1) =>
  z
    .int({ error: 'must be a whole number of minor units' })
    .min(least, `must be at least ${least}`)
    .max(Number.MAX_SAFE_INTEGER, 'must be below 2^53');

const allowed = z
  .boolean({ error: 'must be true or false' })
  .nullish()
  .transform((value) => value ?? true);

const codes = z
  .array(
    z.string({ error: 'must be a text' }).transform((value) => value.trim().toUpperCase()),
    { error: 'must be a list' },
  )
  .max(MOST_LISTED, `must have at most ${MOST_LISTED} entries`)
  .nullish()
  .transform((value) => [...new Set(value ?? [])]);

const cell = z.strictObject({
  timeUnit: word(TIME_UNITS),
  type: word(LIMIT_TYPES),
  amountMinor: minor(0),
});

const budget = z.strictObject({
  budgetMinor: minor(1),
  validFrom: z.string({ error: 'must be YYYY-MM-DDTHH:MM:SS, without offset' }),
  validTo: z.string({ error: 'must be YYYY-MM-DDTHH:MM:SS, without offset' }),
  timezone: z.string({ error: 'must be a time zone of the IANA list' }),
});

const controls = z.strictObject({
  atm: allowed,
  ecommerce: allowed,
  contactless: allowed,
  magstripe: allowed,
  foreign: allowed,
  mccAllow: codes,
  mccBlock: codes,
  countryAllow: codes,
  countryBlock: codes,
});

/**
 * A limit document as it is put (money 9): what is absent or null is not limited, unknown members are refused,
 * codes are put in capitals and stand once. What is parsed may be stored.
 */
export const limitDocument = z
  .strictObject({
    limits: z
      .array(cell, { error: 'must be a list' })
      .nullish()
      .transform((value) => value ?? []),
    perTransactionMinor: minor(1)
      .nullish()
      .transform((value) => value ?? null),
    budget: budget.nullish().transform((value) => value ?? null),
    controls: controls.nullish().transform((value) => value ?? null),
  })
  .superRefine((document, context) => {
    for (const { field, message } of documentFaults(document satisfies LimitDocument)) {
      const path = field.split('.').map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part));
      context.addIssue({ code: 'custom', path, message });
    }
  });
