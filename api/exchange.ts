import type { IncomingMessage } from 'node:http';
import type { RequestFacts } from './request-facts.ts';

/** A request as the pipeline sees it, whichever way it came in. */
export interface Exchange {
  readonly method: string;
  readonly facts: RequestFacts;
  /** A header by its name in lower case; null when it was not sent. */
  readonly header: (name: string) => string | null;
  readonly param: (name: string) => string;
  readonly params: () => Readonly<Record<string, string>>;
  /** What follows the question mark, '' without one. */
  readonly search: string;
  readonly ip: string | null;
  /** The connection, for what belongs to it. */
  readonly socket: object | null;
  /** The bytes of the body; null when there are none. */
  readonly source: IncomingMessage | ReadableStream<Uint8Array> | null;
}

/** An answer before it takes the form of a listener. */
export interface Written {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Null = no body at all. */
  readonly content: string | Buffer<ArrayBuffer> | null;
}

/** Address of the peer, without the prefix of IPv4 in IPv6. */
export const addressIn = (incoming: IncomingMessage | undefined): string | null =>
  incoming?.socket.remoteAddress?.replace(/^::ffff:/, '') ?? null;
