import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A page in a real browser, driven by the protocol of its developer tools. */
export interface Page {
  /** Runs an expression in the page, waits for its promise, gives its JSON value. */
  evaluate<T>(expression: string): Promise<T>;
  /** Evaluates until it is true. Throws when it stays false for 15 s. */
  until(expression: string): Promise<void>;
  /** Chooses files for an input, as a person would. */
  chooseFile(selector: string, path: string): Promise<void>;
  screenshot(path: string): Promise<void>;
  /** What the page or its browser complained of. */
  complaints(): readonly string[];
  close(): Promise<void>;
}

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a Chromium is on this machine, if there is one; `CHROMIUM_PATH` names another. */
export const chromiumPath = (): string | undefined =>
  [process.env['CHROMIUM_PATH'] ?? '', ...CHROMIUM].find((path) => path !== '' && existsSync(path));

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--window-size=1000,1400',
];

const STARTED_WITHIN_MS = 30_000;
const TRUE_WITHIN_MS = 15_000;

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** Opens an address in a browser of its own, with a profile of its own. */
export async function openPage(browser: string, url: string): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'cardloom-chromium-'));
  const args = [...FLAGS, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  const child = spawn(browser, args, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    return await drive(await debuggerOf(profile), url, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Address of the blank page's socket, once the browser has written its port down. */
async function debuggerOf(profile: string): Promise<string> {
  const file = join(profile, 'DevToolsActivePort');
  for (const untilMs = Date.now() + STARTED_WITHIN_MS; Date.now() < untilMs; await sleep(100)) {
    if (!existsSync(file)) continue;
    const [port] = readFileSync(file, 'utf8').split('\n');
    const answer = await fetch(`http://127.0.0.1:${port}/json/list`).catch(() => null);
    const targets = ((await answer?.json()) ?? []) as { type: string; webSocketDebuggerUrl: string }[];
    const page = targets.find((one) => one.type === 'page');
    if (page !== undefined) return page.webSocketDebuggerUrl;
  }
  throw new Error('the browser did not start');
}

async function drive(socketUrl: string, url: string, stop: () => Promise<void>): Promise<Page> {
  const socket = new WebSocket(socketUrl);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  const waiting = new Map<number, (reply: Reply) => void>();
  const complaints: string[] = [];
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply;
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
    if (reply.method === 'Runtime.exceptionThrown' || reply.method === 'Log.entryAdded') {
      complaints.push(JSON.stringify(reply.params));
    }
  });
  let last = 0;
  const send = async (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    const id = (last += 1);
    const replied = new Promise<Reply>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await replied;
    waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  };
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = (await send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })) as { result: { value: T }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? 'failed');
    return result.value;
  };
  const until = async (expression: string): Promise<void> => {
    for (const untilMs = Date.now() + TRUE_WITHIN_MS; Date.now() < untilMs; await sleep(50)) {
      if (await evaluate<boolean>(`Boolean(${expression})`)) return;
    }
    throw new Error(`not so in time: ${expression}`);
  };
  for (const domain of ['Runtime', 'Log', 'Page', 'DOM']) await send(`${domain}.enable`);
  await send('Page.navigate', { url });
  await until("location.href !== 'about:blank' && document.readyState === 'complete'");
  return {
    evaluate,
    until,
    async chooseFile(selector, path) {
      const { result } = (await send('Runtime.evaluate', {
        expression: `document.querySelector(${JSON.stringify(selector)})`,
      })) as { result: { objectId: string } };
      await send('DOM.setFileInputFiles', { files: [path], objectId: result.objectId });
    },
    async screenshot(path) {
      const { data } = await send('Page.captureScreenshot', { captureBeyondViewport: true });
      writeFileSync(path, Buffer.from(String(data), 'base64'));
    },
    complaints: () => complaints,
    close: async () => {
      socket.close();
      await stop();
    },
  };
}
