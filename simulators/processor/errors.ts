/** One member of a body or query that cannot be taken, with the reason in clear text. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A refusal with its wire form `{title, detail, errors?}`; the text never holds input values. */
export class SimulatorError extends Error {
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldError[] | null;
  readonly retryAfterSeconds: number | null;

  constructor(
    status: number,
    title: string,
    detail: string,
    more: { errors?: readonly FieldError[]; retryAfterSeconds?: number } = {},
  ) {
    super(detail);
    this.status = status;
    this.title = title;
    this.errors = more.errors ?? null;
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
  }
}

/** 400 with every faulty field. */
export function invalid(errors: readonly FieldError[]): SimulatorError {
  const detail = errors.length === 1 ? '1 field is invalid.' : `${errors.length} fields are invalid.`;
  return new SimulatorError(400, 'VALIDATION_ERROR', detail, { errors });
}

/** 404 for a card that this processor does not hold. */
export const cardNotFound = (): SimulatorError =>
  new SimulatorError(404, 'CARD_NOT_FOUND', 'This processor holds no such card.');

/** 409 for a step that the state of the trace does not allow. */
export const stateConflict = (detail: string): SimulatorError =>
  new SimulatorError(409, 'STATE_CONFLICT', detail);
