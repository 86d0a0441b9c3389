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
  /** Of a union: what is wrong for each of its forms. */
  readonly errors?: readonly (readonly Issue[])[];
  readonly input?: unknown;
}

function faultsOf(issues: readonly Issue[]): FieldFault[] {
  const faults = issues.flatMap((issue): FieldFault[] => {
    const path = issue.path.map(String);
    const meant = issue.code === 'invalid_union' ? nearest(issue.errors ?? []) : [];
    if (meant.length > 0)
      return faultsOf(meant.map((one) => ({ ...one, path: [...issue.path, ...one.path] })));
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

/** Faults of the form that was most likely meant: the one with the fewest members that are missing or unknown. */
const nearest = (forms: readonly (readonly Issue[])[]): readonly Issue[] => {
  const weight = (issues: readonly Issue[]): number =>
    issues.reduce((sum, issue) => sum + (issue.path.length > 1 ? 0 : 1 + (issue.keys?.length ?? 0)), 0);
  return forms.toSorted((one, other) => weight(one) - weight(other))[0] ?? [];
};

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
