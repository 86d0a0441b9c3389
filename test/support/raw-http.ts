import type { Socket } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Request bytes with a Host header; `lines` are header lines. */
export const rawRequest = (requestLine: string, lines: readonly string[] = [], body = ''): string =>
  [`${requestLine} HTTP/1.1`, 'Host: localhost', ...lines, '', body].join('\r\n');

/**
 * Writes bytes and reads one answer. Rejects when the connection ends or five seconds pass before a whole
 * answer has come.
 */
export async function exchange(socket: Socket, bytes: string | Buffer): Promise<RawAnswer> {
  return await new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const end = (act: () => void): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose).off('error', onClose);
      act();
    };
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const answer = parse(received);
      if (answer !== null) end(() => resolve(answer));
    };
    const onClose = (): void => end(() => reject(new Error(`closed after ${received.length} bytes`)));
    const timer = setTimeout(() => end(() => reject(new Error('no answer in time'))), 5_000);
    socket.on('data', onData).on('close', onClose).on('error', onClose);
    socket.write(bytes);
  });
}

/** Resolves when the other side has closed the connection; rejects after `withinMs`. */
export async function closed(socket: Socket, withinMs: number): Promise<void> {
  if (socket.destroyed || socket.readableEnded) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the connection is still open')), withinMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    socket.once('end', done).once('close', done).once('error', done).resume();
  });
}

function parse(received: Buffer): RawAnswer | null {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const [statusLine = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = received.subarray(headEnd + 4);
  const length = Number(headers['content-length'] ?? 0);
  if (body.length < length) return null;
  return { status: Number(statusLine.split(' ')[1]), headers, text: body.toString('utf8', 0, length) };
}
