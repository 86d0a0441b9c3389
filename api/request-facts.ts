import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';

/** What the one log line of a request tells; filled in on the way (channels 3). */
export interface RequestFacts {
  /** The same in the answer, the log line and every row that the request leaves. */
  readonly requestId: string;
  route: string | null;
  principal: string | null;
  partnerId: number | null;
  /** Size of the answer's body. */
  bytes: number | null;
}

const NAME = 'facts' as never;

/** Starts the facts of a request. */
export function beginFacts(context: Context, requestId: string): RequestFacts {
  const facts: RequestFacts = { requestId, route: null, principal: null, partnerId: null, bytes: null };
  context.set(NAME, facts as never);
  return facts;
}

/** The facts of a request under way. */
export const factsOf = (context: Context): RequestFacts => context.get(NAME) as RequestFacts;

/** The request as it came in; undefined outside of a listener. */
export const incomingOf = (env: unknown): IncomingMessage | undefined =>
  (env as { incoming?: IncomingMessage } | undefined)?.incoming;

/** The socket a request came on, for what belongs to the connection. */
export const socketOf = (context: Context): object | null => incomingOf(context.env)?.socket ?? null;

/** Address of the peer. */
export function addressOf(context: Context): string | null {
  const address = incomingOf(context.env)?.socket.remoteAddress;
  return address === undefined ? null : address.replace(/^::ffff:/, '');
}
