import type { Operation } from './operations.ts';

/** What a call answers on the wire. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a call did to the partner's books or inbox. */
export type Effect =
  | 'APPLIED'
  | 'REVERSED'
  | 'TOMBSTONED'
  | 'CLEARED'
  | 'LINKED'
  | 'UNLINKED'
  | 'STORED'
  | 'READ'
  | 'REPEATED'
  | 'NONE';

export interface Outcome {
  readonly answer: Answer;
  readonly effect: Effect;
}

/** How a call leaves: answered, reset on TCP level, or closed without an answer. */
export type Delivery =
  { readonly kind: 'ANSWER'; readonly answer: Answer } | { readonly kind: 'RESET' | 'CLOSE' };

/** A request line, headers and body as they came in. */
export interface Incoming {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null when the body was longer than the simulator reads. */
  readonly body: Buffer | null;
  /** Aborts when the caller is gone. */
  readonly hungUp: AbortSignal;
}

/** A call of the contract, read as far as it can be read. */
export interface Call {
  /** Number of the request in the record. */
  readonly n: number;
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly key: string | null;
  readonly sequence: number | null;
  readonly attempt: number;
  readonly bodySha256: string;
  /** The JSON body, opened when it came encrypted; undefined when there is none or it cannot be read. */
  readonly body: unknown;
  /** The answer to give when the call cannot be processed, whatever the mode would say. */
  readonly problem: Answer | null;
}

/** An error answer in the form of the contract. */
export function refusal(status: number, title: string, detail: string): Answer {
  return { status, body: { title, detail } };
}

export const noContent: Answer = { status: 204, body: null };
