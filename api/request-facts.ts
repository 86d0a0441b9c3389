import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';

/** What the one log line of a request tells; filled in on the way (channels 3). */
export interface RequestFacts {
  route: string | null;
  principal: string | null;
  partnerId: number | null;
}

const incomingOf = (context: Context): IncomingMessage | undefined =>
  (context.env as { incoming?: IncomingMessage } | undefined)?.incoming;

/** The socket a request came on, for what belongs to the connection. */
export const socketOf = (context: Context): object | null => incomingOf(context)?.socket ?? null;

/** Address of the peer. */
export function addressOf(context: Context): string | null {
  const address = incomingOf(context)?.socket.remoteAddress;
  return address === undefined ? null : address.replace(/^::ffff:/, '');
}
