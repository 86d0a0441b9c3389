import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
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

/**
 * Who sent a request: the peer, or, where that is a proxy of ours, the address it tells of. Proxies add to the end of
 * `X-Forwarded-For`, so it is read from there, as far as those who wrote it are believed.
 */
export function addressIn(
  incoming: IncomingMessage | undefined,
  isTrustedProxy: (ip: string) => boolean,
): string | null {
  let ip = plain(incoming?.socket.remoteAddress ?? '');
  if (isIP(ip) === 0) return null;
  if (!isTrustedProxy(ip)) return ip;
  const told = [incoming?.headers['x-forwarded-for'] ?? []].flat().join(',').split(',').map(plain);
  for (const before of told.toReversed()) {
    if (!isTrustedProxy(ip) || isIP(before) === 0) break;
    ip = before;
  }
  return ip;
}

/** Without the prefix of IPv4 in IPv6. */
const plain = (ip: string): string => ip.trim().replace(/^::ffff:(?=[0-9.]+$)/, '');
