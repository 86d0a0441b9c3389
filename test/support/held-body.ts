import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiHarness, ClientName } from './harness.ts';
import { exchange, type RawAnswer, rawRequest } from './raw-http.ts';

/** A request whose head is with the server, which waits for the body. */
export interface HeldBody {
  /** Sends the body and reads the answer. */
  release(): Promise<RawAnswer>;
}

/** Longer than the wait after which a caller is identified anew. */
export const LATE_MS = 1_300;

/** Sends the head of a request with a JSON body, long enough ago for its caller to have been identified. */
export async function holdBody(
  api: ApiHarness,
  to: ClientName | 'public',
  requestLine: string,
  headers: readonly string[],
  body: object,
): Promise<HeldBody> {
  const text = JSON.stringify(body);
  const socket = await api.connect(to);
  const type = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`];
  socket.write(rawRequest(requestLine, [...headers, ...type]));
  await sleep(400);
  return {
    release: async () => {
      try {
        return await exchange(socket, text);
      } finally {
        socket.destroy();
      }
    },
  };
}

/** Status and title of an answer. */
export const titleIn = ({ status, text }: RawAnswer): [number, string | undefined] => [
  status,
  text === '' ? undefined : (JSON.parse(text) as { title?: string }).title,
];
