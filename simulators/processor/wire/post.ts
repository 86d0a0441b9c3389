/** How an exchange ended: `answered`; `notSent`: it cannot have arrived; `unknown`: it may have. */
export type Exchange =
  | {
      readonly outcome: 'answered';
      readonly status: number;
      readonly body: unknown;
      readonly latencyMs: number;
    }
  | { readonly outcome: 'notSent' | 'unknown'; readonly latencyMs: number };

/** One message as it goes to the platform; nobody waits longer than `deadlineMs` for the answer. */
export interface Post {
  readonly path: string;
  readonly text: string;
  readonly idempotencyKey: string;
  readonly requestId: string;
  readonly deadlineMs: number;
}
