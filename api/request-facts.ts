import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { RateStanding } from './rate-standing.ts';

/** What the one log line of a request tells; filled in on the way (channels 3). */
export interface RequestFacts {
  /** The same in the answer, the log line and every row that the request leaves. */
  readonly requestId: string;
  route: string | null;
  principal: string | null;
  partnerId: number | null;
  /** Size of the answer's body. */
  bytes: number | null;
  /** For the answer, not for the log. */
  rate: RateStanding | null;
}

const NAME = 'facts' as never;

/** Facts of a request of which nothing is known yet but its id. */
export const newFacts = (requestId: string): RequestFacts => ({
  requestId,
  route: null,
  principal: null,
  partnerId: null,
  bytes: null,
  rate: null,
});

/** Starts the facts of a request that the router takes. */
export function beginFacts(context: Context, requestId: string): RequestFacts {
  const facts = newFacts(requestId);
  context.set(NAME, facts as never);
  return facts;
}

/** The facts of a request under way. */
export const factsOf = (context: Context): RequestFacts => context.get(NAME) as RequestFacts;

/** The request as it came in; undefined outside of a listener. */
export const incomingOf = (env: unknown): IncomingMessage | undefined =>
  (env as { incoming?: IncomingMessage } | undefined)?.incoming;
