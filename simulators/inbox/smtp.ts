import type { Logger } from 'pino';
import { SMTPServer } from 'smtp-server';
import { readMail } from './mail.ts';
import type { Messages } from './messages.ts';

const MAX_MAIL_BYTES = 5 * 1024 * 1024;

/** An SMTP listener that takes every mail, without log-in, and puts it into the inbox. */
export function listenSmtp(
  messages: Messages,
  at: { readonly host: string; readonly port: number },
  logger: Logger,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    size: MAX_MAIL_BYTES,
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= MAX_MAIL_BYTES) chunks.push(chunk);
      });
      stream.on('end', () => {
        if (bytes > MAX_MAIL_BYTES) {
          done(Object.assign(new Error('The mail is too large.'), { responseCode: 552 }));
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        const mail = readMail(Buffer.concat(chunks));
        const from = mailFrom === false ? null : mailFrom.address;
        rcptTo.forEach((recipient) => messages.add({ kind: 'mail', to: recipient.address, from, ...mail }));
        logger.info({ recipients: rcptTo.length, bytes }, 'a mail came in');
        done();
      });
    },
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const listener = server.listen(at.port, at.host, () => {
      server.removeListener('error', reject);
      server.on('error', (error) => logger.warn({ err: error }, 'an SMTP connection failed'));
      const address = listener.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : at.port,
        close: () => new Promise((closed) => server.close(() => closed())),
      });
    });
  });
}
