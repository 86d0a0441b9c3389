import { z } from 'zod';
import { isCountry } from '../domain/country.ts';

// Channels and the import of files both take people in, and neither may import the other: the rules of channels 5
// stand where the people are stored.

// Control characters are refused everywhere: they forge log lines and break terminals (channels 5). Half a
// surrogate pair is no character at all, and the database takes none.
const CONTROL_CHARACTERS = /[\p{Cc}\p{Cs}\u2028\u2029]/u;

/** Text in Unicode NFC, outer blanks cut, without control characters; `max` and `min` count characters. */
export const text = (min: number, max: number) =>
  z
    .string({ error: 'must be a text' })
    .transform((value) => value.normalize('NFC').trim())
    .pipe(
      z
        .string()
        .min(min, min === 1 ? 'must not be empty' : `must have at least ${min} characters`)
        .max(max, `must have at most ${max} characters`)
        .refine((value) => !CONTROL_CHARACTERS.test(value), 'must not contain control characters'),
    );

/** A word of a closed list, read without regard to case and handed on as the list writes it. */
export const word = <const W extends string>(words: readonly [W, ...W[]]) =>
  z.string({ error: `must be one of ${words.join(', ')}` }).transform((value, context) => {
    const found = words.find((one) => one.toLowerCase() === value.trim().toLowerCase());
    if (found === undefined) {
      context.addIssue({ code: 'custom', message: `must be one of ${words.join(', ')}` });
      return z.NEVER;
    }
    return found;
  });

/** True for a day that exists, written `YYYY-MM-DD`. */
export function isCalendarDay(value: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)) return false;
  const parsed = new Date(`${value}T00:00:00.000Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(value);
}

/** A real calendar day, `YYYY-MM-DD`. */
export const day = () =>
  z.string({ error: 'must be YYYY-MM-DD' }).refine(isCalendarDay, 'must be YYYY-MM-DD');

/** E.164 digits; one leading plus is cut. */
export const phone = () =>
  z
    .string({ error: 'must be 7 to 15 digits' })
    .transform((value) => value.trim().replace(/^\+/, ''))
    .pipe(z.string().regex(/^[1-9][0-9]{6,14}$/, 'must be 7 to 15 digits, with country code, without plus'));

/** An e-mail address in lower case. */
export const email = () =>
  text(3, 254)
    .transform((value) => value.toLowerCase())
    .pipe(z.string().regex(/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/, 'must be an e-mail address'));

/** A first or last name. */
export const personName = () =>
  text(1, 64).refine((value) => /\p{L}/u.test(value), 'must have at least one letter');

/** A day on which somebody alive can have been born; the age rule of the programme comes later. */
export const birthDate = () =>
  day().refine(
    (value) => value >= '1900-01-01' && value <= new Date().toISOString().slice(0, 10),
    'must be from 1900-01-01 to today',
  );

/** ISO 3166-1 alpha-2, any case in, capitals out. */
export const country = () =>
  z
    .string({ error: 'must be a country code of two letters' })
    .transform((value) => value.trim().toUpperCase())
    .pipe(z.string().refine(isCountry, 'must be an ISO 3166-1 country code of two letters'));

/** A country code or a free word, kept as sent. */
export const nationality = () =>
  text(2, 32).refine((value) => /^\p{L}+$/u.test(value), 'must be 2 to 32 letters');

const languageNames = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });

/** ISO 639-1, any case in, lower case out. */
export const language = () =>
  z
    .string({ error: 'must be a language code of two letters' })
    .transform((value) => value.trim().toLowerCase())
    .pipe(
      z
        .string()
        .refine(
          (value) => /^[a-z]{2}$/.test(value) && languageNames.of(value) !== undefined,
          'must be an ISO 639-1 language code of two letters',
        ),
    );

/** A postcode of any country. */
export const postCode = () =>
  text(1, 16).refine(
    (value) => /^[A-Za-z0-9 -]+$/.test(value),
    'must be 1 to 16 letters, digits, blanks, hyphens',
  );
