import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { MailClient } from '../activities/messaging/client.ts';
import { atomically } from '../db/atomically.ts';
import type { Database } from '../db/database.ts';
import { type ClaimedMail, claimMails, settleMail } from '../db/messages.ts';
import type { KybMailFacts } from '../domain/kyb-mail.ts';
import { type Mail, mailText } from '../domain/mail.ts';
import type { MailText } from '../domain/mail-text.ts';
import { openMailFacts } from '../vault/sealed-mail.ts';
import type { Vault } from '../vault/vault.ts';

interface MailRelayParts {
  /** Connection of the role cardloom_engine. */
  readonly engine: Kysely<Database>;
  readonly mail: MailClient;
  readonly vault: Vault;
  /** The address of a customer in clear; null when they are gone. */
  readonly addressOf: (customerId: number) => Promise<string | null>;
  /** Makes a mail to the applicant of a company; null when there is nobody to write to any more. */
  readonly renderKyb: (facts: KybMailFacts) => Promise<ReadyMail | null>;
  readonly logger: Logger;
  readonly lookMs?: number;
}

/** A mail with its address. */
export interface ReadyMail extends MailText {
  readonly to: string;
}

const LOOK_MS = 1_000;

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'mail-relay' },
  requestId: 'mail-relay',
  ip: null,
} as const;

/**
 * Mails the `message` rows of the outbox, apart from the relay to Temporal: a slow mail server holds up nobody
 * else, and mails go out while Temporal is away. Rows wait while the mail server is away.
 */
export function startMailRelay(parts: MailRelayParts): { stop(): Promise<void> } {
  const { engine, mail, vault, logger, lookMs = LOOK_MS } = parts;
  const stopping = new AbortController();
  let away = false;

  async function round(): Promise<number> {
    const claimed = await claimMails(engine);
    await Promise.all(claimed.map(sendOne));
    return claimed.length;
  }

  async function sendOne(one: ClaimedMail): Promise<void> {
    const ready = await render(one);
    const messageId = `mail-${one.outboxId}`;
    const outcome = ready === null ? 'NOBODY' : await mail.send({ messageId, ...ready });
    const givenUp = await atomically(engine, caller, (trx) => settleMail(trx, one, outcome));
    const { outboxId } = one;
    if (givenUp) logger.error({ outboxId }, 'a mail was given up: the mail server refuses it');
    if (outcome === 'NOBODY' || (outcome === 'AWAY') === away) return;
    away = outcome === 'AWAY';
    logger[away ? 'warn' : 'info'](away ? 'the mail server is away: mails wait' : 'the mail server is back');
  }

  async function render(one: ClaimedMail): Promise<ReadyMail | null> {
    const queued = readMail(vault, one);
    if (queued.template === 'kyb') return await parts.renderKyb(queued.facts);
    const { to } = one;
    const address = 'address' in to ? to.address : await parts.addressOf(to.customerId);
    return address === null ? null : { to: address, ...mailText(queued) };
  }

  const running = (async () => {
    while (!stopping.signal.aborted) {
      const sent = await round().catch((error: unknown) => {
        const fault = error instanceof Error ? error.name : 'unknown';
        if (!stopping.signal.aborted) logger.error({ fault }, 'the mail relay failed a round');
        return 0;
      });
      if (sent === 0) await sleep(lookMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();

  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** A claimed mail with what it tells in clear. */
function readMail(vault: Vault, { template, subjectId, facts }: ClaimedMail): Mail {
  const clear = 'clear' in facts ? facts.clear : openMailFacts(vault, subjectId, facts.sealed);
  return { template, facts: clear } as Mail;
}
