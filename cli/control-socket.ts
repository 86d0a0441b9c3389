import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ControlRequest {
  readonly command: 'stop' | 'start' | 'list';
  readonly name: string;
}

export interface ControlAnswer {
  readonly ok: boolean;
  readonly lines: readonly string[];
}

const LONGEST_PATH = 100;
const LONGEST_REQUEST = 10_000;

/** `<dataDir>/control.sock`; systems allow about 100 characters, a longer one lies in the temporary folder. */
export function controlSocketPath(dataDir: string): string {
  const path = join(dataDir, 'control.sock');
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path;
  const hash = createHash('sha256').update(`${userInfo().username}:${dataDir}`).digest('hex').slice(0, 16);
  return join(tmpdir(), `cardloom-${hash}.sock`);
}

/** Serves the supervisor's commands: one JSON line in, one JSON line out. */
export async function serveControl(
  dataDir: string,
  handle: (request: ControlRequest) => Promise<ControlAnswer>,
): Promise<Server> {
  const path = controlSocketPath(dataDir);
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    void readLine(socket).then(async (line) => {
      socket.end(`${JSON.stringify(await answerTo(line, handle))}\n`);
    });
  });
  // The socket is as open as the mask at its making says; the data folder's mode alone would not do in /tmp.
  const mask = process.umask(0o077);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  process.umask(mask);
  return server;
}

/** Sends one command to the running supervisor; null when none answers. */
export async function askSupervisor(dataDir: string, request: ControlRequest): Promise<ControlAnswer | null> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const answer = await ask(controlSocketPath(dataDir), request);
    if (answer !== null) return answer;
    await sleep(100);
  }
  return null;
}

function ask(path: string, request: ControlRequest): Promise<ControlAnswer | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('error', () => resolve(null));
    socket.on('connect', () => {
      socket.write(`${JSON.stringify(request)}\n`);
      void readLine(socket).then((line) => resolve(line === '' ? null : (JSON.parse(line) as ControlAnswer)));
    });
  });
}

async function answerTo(
  line: string,
  handle: (request: ControlRequest) => Promise<ControlAnswer>,
): Promise<ControlAnswer> {
  try {
    return await handle(JSON.parse(line) as ControlRequest);
  } catch (error) {
    return { ok: false, lines: [error instanceof Error ? error.message : 'failed'] };
  }
}

/** The first line that arrives; empty when the other side closes before. */
function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n') || text.length > LONGEST_REQUEST) resolve(text.split('\n')[0] ?? '');
    });
    socket.on('close', () => resolve(text.trim()));
  });
}
