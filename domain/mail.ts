import { assertNever } from './errors.ts';
import type { KybMailFacts } from './kyb-mail.ts';
import type { MailText } from './mail-text.ts';
import { formatMoney } from './money.ts';

/** What mails tell of a partner balance; amounts in minor units of `currency`. */
export interface PartnerBalanceFacts {
  readonly programme: string;
  readonly kind: 'credit' | 'deposit' | 'company' | 'ibanTechnical';
  readonly currency: string;
  readonly value: number;
  readonly threshold: number;
  /** UTC, ISO 8601. */
  readonly at: string;
}

/** What a customer is told of the document they were verified with. */
export interface DocumentFacts {
  /** `YYYY-MM-DD`, the last day it is good. */
  readonly expiresOn: string;
  readonly lastDay: boolean;
}

/** What reviewers are told of a case that waits for them; no personal data. */
export interface ReviewFacts {
  readonly programme: string;
  readonly verificationId: string;
  /** UTC, ISO 8601: when the form came. */
  readonly since: string;
}

/** Everything that is mailed, by its template. */
export type Mail = PlainMail | { readonly template: 'kyb'; readonly facts: KybMailFacts };

/** Mails whose facts hold all they say. */
export type PlainMail =
  | {
      readonly template: 'partnerBalanceLow';
      readonly facts: PartnerBalanceFacts & { readonly reminder: boolean };
    }
  | { readonly template: 'partnerBalanceRecovered'; readonly facts: PartnerBalanceFacts }
  | { readonly template: 'documentExpires'; readonly facts: DocumentFacts }
  | { readonly template: 'verificationWaits'; readonly facts: ReviewFacts };

/** Subject and text of a mail (money 2, onboarding 6). */
export function mailText(mail: PlainMail): MailText {
  switch (mail.template) {
    case 'partnerBalanceLow': {
      const { facts } = mail;
      return {
        subject: `${facts.reminder ? 'Still low' : 'Low'}: ${nameOf(facts)}`,
        text: `The ${facts.kind} balance is below its threshold. Payments are refused when it is used up.\n\n${table(facts)}`,
      };
    }
    case 'partnerBalanceRecovered':
      return {
        subject: `Recovered: ${nameOf(mail.facts)}`,
        text: `The ${mail.facts.kind} balance is high enough again.\n\n${table(mail.facts)}`,
      };
    case 'documentExpires': {
      const { expiresOn, lastDay } = mail.facts;
      const when = lastDay ? `Today, ${expiresOn}, is its last day` : `It is good until ${expiresOn}`;
      return {
        subject: 'Your identity document is about to expire',
        text: `The document you showed us will soon be out of date. ${when}. Please send a new one: after that day payments are refused.\n`,
      };
    }
    case 'verificationWaits': {
      const { programme, verificationId, since } = mail.facts;
      return {
        subject: `Verification waits for a decision: ${programme}`,
        text: `Nobody has decided on this verification yet.\n\nProgramme: ${programme}\nVerification: ${verificationId}\nSince: ${since}\n`,
      };
    }
    default:
      return assertNever(mail);
  }
}

const nameOf = ({ programme, kind, currency }: PartnerBalanceFacts): string =>
  `${kind} balance ${currency} of ${programme}`;

const table = ({ programme, kind, currency, value, threshold, at }: PartnerBalanceFacts): string =>
  [
    ['Programme', programme],
    ['Balance', `${kind}, ${currency}`],
    ['Value', formatMoney({ minorUnits: value, currency })],
    ['Threshold', formatMoney({ minorUnits: threshold, currency })],
    ['Time', at],
  ]
    .map(([name, text]) => `${name}: ${text}\n`)
    .join('');
