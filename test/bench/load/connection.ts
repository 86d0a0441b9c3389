import { connect, type SecureContext } from 'node:tls';

/** What came back: status line and body. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** One keep-alive connection that carries one request at a time. */
export interface Connection {
  readonly busy: () => boolean;
  readonly closed: () => boolean;
  /** Sends a whole HTTP request; `done` gets its answer, or null when the connection broke before it. */
  send(request: string, done: (reply: Reply | null) => void): void;
  end(): void;
}

const HEAD_END = '\r\n\r\n';
const LENGTH = /\r\ncontent-length: *([0-9]+)/i;

/**
 * A connection with client certificate. Written by hand because the generator shares the two cores with what it
 * measures: node:https spends several times as much on a request. It understands what this API answers, bodies
 * with a length; anything else breaks the connection, which counts as a failure.
 */
export async function openConnection(port: number, secureContext: SecureContext): Promise<Connection> {
  const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, secureContext });
  let waiting: ((reply: Reply | null) => void) | null = null;
  let received = '';
  let closed = false;
  const answer = (reply: Reply | null): void => {
    const done = waiting;
    waiting = null;
    received = '';
    done?.(reply);
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  socket.setNoDelay(true);
  socket.setEncoding('latin1');
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    closed = true;
    answer(null);
  });
  socket.on('data', (chunk: string) => {
    received += chunk;
    const headEnd = received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = received.slice(0, headEnd);
    const length = LENGTH.exec(head)?.[1];
    if (length === undefined) {
      socket.destroy();
      return;
    }
    const bodyStart = headEnd + HEAD_END.length;
    if (received.length < bodyStart + Number(length)) return;
    answer({ status: Number(head.slice(9, 12)), body: received.slice(bodyStart) });
  });
  return {
    busy: () => waiting !== null,
    closed: () => closed,
    send(request, done) {
      if (closed || waiting !== null) {
        done(null);
        return;
      }
      waiting = done;
      socket.write(request, 'latin1');
    },
    end: () => socket.destroy(),
  };
}
