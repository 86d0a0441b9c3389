import { ApplicationFailure } from '@temporalio/common';
import { Refusal } from '../domain/errors.ts';

/**
 * How failures of activities are treated, decided here once: a fault of ours or of a collaborator is retried
 * as the activity's profile says; what will be the same at every try is final. Types are closed words without
 * data: they are the only part of a failure that stays readable in Temporal.
 */

/** A failure that no further try can change. */
export const finalFailure = (type: string, message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, type);

/** A collaborator that is away for a while: expected, retried, and no error in our logs. */
export const awayFailure = (type: string, message: string, retryAfterMs: number | null): ApplicationFailure =>
  ApplicationFailure.create({
    message,
    type,
    category: 'BENIGN',
    ...(retryAfterMs === null ? {} : { nextRetryDelay: retryAfterMs }),
  });

export type FailureClass = 'FINAL' | 'EXPECTED' | 'RETRYABLE';

/** The class of an error that an activity threw. */
export function classify(error: unknown): FailureClass {
  if (error instanceof ApplicationFailure) {
    if (error.nonRetryable === true) return 'FINAL';
    return error.category === 'BENIGN' ? 'EXPECTED' : 'RETRYABLE';
  }
  return error instanceof Refusal ? 'FINAL' : 'RETRYABLE';
}

/**
 * The failure that Temporal is given: a refusal of a rule is final under its code, everything else stays what
 * it is.
 */
export const toFailure = (error: unknown): unknown =>
  error instanceof Refusal ? finalFailure(error.code, 'refused') : error;
