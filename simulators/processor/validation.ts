import { z } from 'zod';
import type { FieldError } from './errors.ts';
import { invalid, SimulatorError } from './errors.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** Parses a request body of at most 64 kB by `schema`; an empty body counts as `{}`. Errors: 400, 413. */
export async function readBody<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  return check(parseJson(await readText(request)), schema);
}

/** The body's bytes as text, refused above 64 kB. */
export async function readText(request: Request): Promise<string> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.byteLength > MAX_BODY_BYTES) {
    throw new SimulatorError(413, 'PAYLOAD_TOO_LARGE', 'The body is larger than 64 kB.');
  }
  return new TextDecoder().decode(bytes);
}

/** Text to JSON; an empty text counts as `{}`. Error: 400. */
export function parseJson(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new SimulatorError(400, 'VALIDATION_ERROR', 'The body is not valid JSON.');
  }
}

/** Checks `input` by `schema`; 400 names every faulty field. */
export function check<T>(input: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.flatMap(fieldErrors));
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: [...path, key].join('.'), message: 'is not known' }));
  }
  return [{ field: path.join('.') || 'body', message: issue.message }];
}

export const amountMinorUnits = z.number().int().positive().max(999_999_999_999);
export const currencyCode = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code of three letters');
export const countryCode = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 3166 code of three letters');
export const categoryCode = z.string().regex(/^[0-9]{4}$/, 'must be 4 digits');
export const decimalRate = z
  .string()
  .regex(/^[0-9]{1,9}(\.[0-9]{1,12})?$/, 'must be a decimal number as text');
