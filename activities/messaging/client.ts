import { createTransport } from 'nodemailer';
import { Agent, request } from 'undici';

/** A mail as it goes out. */
export interface OutgoingMail {
  /** Names this mail in every attempt, so that a mail system can tell a repeat. */
  readonly messageId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/**
 * `ACCEPTED`: the server has it. `REFUSED`: it will not take this mail, however often it is asked (5xx). `AWAY`:
 * asking again may help (no connection, no answer, 4xx, our own log-in refused).
 */
export type SendOutcome = 'ACCEPTED' | 'REFUSED' | 'AWAY';

export interface MailClient {
  send(mail: OutgoingMail): Promise<SendOutcome>;
}

interface MailSettings {
  /** `smtp://` or `smtps://`, with user and password where the server wants them. */
  readonly smtpUrl: string;
  /** Address in `From`. */
  readonly from: string;
}

const CONNECT_MS = 5_000;
const SILENT_MS = 10_000;

/** Sends mail by SMTP, each on a connection of its own; never throws for what the server or the net did. */
export function createMailClient({ smtpUrl, from }: MailSettings): MailClient {
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENT_MS,
    dnsTimeout: CONNECT_MS,
    // Texts come from us, but nothing in them may ever make the library read a file or call an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const host = from.slice(from.lastIndexOf('@') + 1).replace(/>$/, '');
  return {
    async send({ messageId, to, subject, text }) {
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          text,
          messageId: `<${messageId}@${host}>`,
        });
        return 'ACCEPTED';
      } catch (error) {
        return outcomeOf(error);
      }
    },
  };
}

/** What a failed attempt means; a refused log-in is our own fault and not the mail's. */
function outcomeOf(error: unknown): SendOutcome {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  if (code === 'EAUTH' || typeof responseCode !== 'number') return 'AWAY';
  return responseCode >= 500 ? 'REFUSED' : 'AWAY';
}

/** A text message as it goes out; `to` is E.164 digits without plus. */
export interface OutgoingSms {
  readonly to: string;
  readonly text: string;
}

export interface SmsClient {
  send(sms: OutgoingSms): Promise<SendOutcome>;
}

const ANSWER_MS = 5_000;

/** Sends text messages by `POST <smsUrl>` with `{to, text}`; never throws for what the gateway or the net did. */
export function createSmsClient({ smsUrl }: { readonly smsUrl: string }): SmsClient {
  const dispatcher = new Agent({ connect: { timeout: ANSWER_MS } });
  return {
    async send({ to, text }) {
      try {
        const answer = await request(smsUrl, {
          method: 'POST',
          dispatcher,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ to, text }),
          headersTimeout: ANSWER_MS,
          bodyTimeout: ANSWER_MS,
        });
        await answer.body.dump();
        if (answer.statusCode < 300) return 'ACCEPTED';
        return answer.statusCode < 500 && answer.statusCode !== 429 ? 'REFUSED' : 'AWAY';
      } catch {
        return 'AWAY';
      }
    },
  };
}
