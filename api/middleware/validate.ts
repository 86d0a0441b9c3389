import type { ZodType } from 'zod';
import { type FieldFault, invalid } from '../../domain/errors.ts';

/** The parts of a request, in the order in which they are checked. */
export type Part = 'path' | 'query' | 'header' | 'body';

/**
 * Checks one part of a request and gives its parsed value; throws `VALIDATION_ERROR` with all faults of that
 * part. Messages say what is wanted and never repeat what was sent.
 */
export function validatePart<T>(schema: ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw invalid(faultsOf(result.error.issues));
}

interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly input?: unknown;
}

function faultsOf(issues: readonly Issue[]): FieldFault[] {
  const faults = issues.flatMap((issue): FieldFault[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return (issue.keys ?? []).map((key) => ({
        field: [...path, fieldName(key)].join('.'),
        message: 'is not known here',
      }));
    }
    const field = path.join('.') || 'body';
    return [{ field, message: isMissing(issue) ? 'is required' : wanted(issue) }];
  });
  return [...new Map(faults.map((fault) => [fault.field, fault])).values()];
}

// zod's own wording names the received type; ours says what is wanted.
const wanted = (issue: Issue): string =>
  issue.message.startsWith('Invalid input: expected ')
    ? `must be ${article(issue.message.slice('Invalid input: expected '.length).split(',')[0] ?? 'valid')}`
    : issue.message;

const article = (kind: string): string =>
  ({ string: 'a text', number: 'a number', boolean: 'true or false', object: 'an object', array: 'a list' })[
    kind
  ] ?? `of the right kind (${kind})`;

function isMissing(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
    ? true
    : 'input' in issue && issue.input === undefined && issue.path.length > 0;
}

// A name comes from the caller: a long or odd one is cut so that it cannot carry a value back.
const fieldName = (key: string): string => (/^[A-Za-z0-9_.-]{1,64}$/.test(key) ? key : 'unknown member');
