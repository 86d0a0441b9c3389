import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import { createMessages } from './messages.ts';
import { listenSmtp } from './smtp.ts';

export interface InboxOptions {
  /** 127.0.0.1 unless told otherwise. */
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly httpPort?: number;
  readonly smtpPort?: number;
  readonly logger: Logger;
}

export interface Inbox {
  readonly url: string;
  readonly smtpUrl: string;
  readonly smsUrl: string;
  stop(): Promise<void>;
}

/** Starts the inbox in this process: SMTP for mails, HTTP for text messages and for reading. */
export async function startInbox(options: InboxOptions): Promise<Inbox> {
  const { host = '127.0.0.1', logger } = options;
  const messages = createMessages();
  const smtp = await listenSmtp(messages, { host, port: options.smtpPort ?? 0 }, logger);
  const server = createAdaptorServer({ fetch: createApp(messages, logger).fetch }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.httpPort ?? 0, host, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch(async (error: unknown) => {
    await smtp.close();
    throw error;
  });
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    url,
    smtpUrl: `smtp://localhost:${smtp.port}`,
    smsUrl: `${url}/sms`,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await Promise.all([closed, smtp.close()]);
    },
  };
}
