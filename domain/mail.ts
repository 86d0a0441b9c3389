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

/** Mails that hold a code or a link: what they tell is sealed until they are sent (channels 12). */
export type SecretMail =
  | { readonly template: 'operatorCode'; readonly facts: { readonly code: string } }
  | { readonly template: 'operatorInvitation'; readonly facts: { readonly link: string } }
  | { readonly template: 'operatorPasswordReset'; readonly facts: { readonly link: string } };

/** An application that waits for its reviewers. */
export interface KybWaitingFacts {
  readonly programme: string;
  readonly applicationId: string;
  readonly status: string;
}

/** What a customer is told of the document they were verified with. */
export interface DocumentFacts {
  /** `YYYY-MM-DD`, the last day it is good. */
  readonly expiresOn: string;
  readonly lastDay: boolean;
}

/** A verification that waits for its reviewers; no personal data. */
export interface ReviewFacts {
  readonly programme: string;
  readonly verificationId: string;
  /** UTC, ISO 8601: when the form came. */
  readonly since: string;
}

/** A certificate that ends within `days`. */
export interface EndingFacts {
  readonly label: string;
  readonly serial: string;
  /** UTC, ISO 8601. */
  readonly notAfter: string;
  readonly days: number;
}

/** Mails whose facts hold all they say, and no secret. */
export type PlainMail =
  | {
      readonly template: 'partnerBalanceLow';
      readonly facts: PartnerBalanceFacts & { readonly reminder: boolean };
    }
  | { readonly template: 'partnerBalanceRecovered'; readonly facts: PartnerBalanceFacts }
  | { readonly template: 'kybWaiting'; readonly facts: KybWaitingFacts }
  | { readonly template: 'documentExpires'; readonly facts: DocumentFacts }
  | { readonly template: 'cardRemoved'; readonly facts: { readonly lastFourDigits: string } }
  | { readonly template: 'verificationWaits'; readonly facts: ReviewFacts }
  | {
      readonly template: 'certificateIssued';
      readonly facts: { readonly label: string; readonly serial: string; readonly notAfter: string };
    }
  | { readonly template: 'certificateEnds'; readonly facts: EndingFacts }
  | { readonly template: 'outboundCertificateEnds'; readonly facts: EndingFacts };

/** Everything that is mailed, by its template; `kyb` is made from the application when it goes out. */
export type Mail = SecretMail | PlainMail | { readonly template: 'kyb'; readonly facts: KybMailFacts };

/** Mails without secrets. */
export type OpenMail = Exclude<Mail, SecretMail>;

const daysOf = ({ days }: EndingFacts): string => (days === 1 ? 'a day' : `${days} days`);

/** Subject and text of a mail (money 2). */
export function mailText(mail: SecretMail | PlainMail): MailText {
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
    case 'kybWaiting':
      return {
        subject: `An application waits: ${mail.facts.programme}`,
        text: `A company's application waits for its review.\n\nApplication: ${mail.facts.applicationId}\nState: ${mail.facts.status}\n`,
      };
    case 'certificateIssued': {
      const { label, serial, notAfter } = mail.facts;
      return {
        subject: `Your certificate ${label} is issued`,
        text: `It is good until ${notAfter}. Ask the one who handed in your request for the file.\n\nSerial: ${serial}\n`,
      };
    }
    case 'certificateEnds':
      return {
        subject: `Your certificate ${mail.facts.label} ends within ${daysOf(mail.facts)}`,
        text: `Renew it before ${mail.facts.notAfter} with POST /secure/certificates and a new key; after that its calls are refused.\n\nSerial: ${mail.facts.serial}\n`,
      };
    case 'outboundCertificateEnds':
      return {
        subject: `Our certificate for the connection ${mail.facts.label} ends within ${daysOf(mail.facts)}`,
        text: `The partner has to sign a new request before ${mail.facts.notAfter}; after that its server will not take our calls.\n\nSerial: ${mail.facts.serial}\n`,
      };
    case 'operatorCode':
      return {
        subject: 'Your sign-in code',
        text: `${mail.facts.code}\n\nThe code is good for ten minutes. Nobody of us will ever ask you for it.\n`,
      };
    case 'operatorInvitation':
      return {
        subject: 'Your invitation to Cardloom',
        text: `Choose a password within an hour:\n\n${mail.facts.link}\n`,
      };
    case 'operatorPasswordReset':
      return {
        subject: 'Choose a new password',
        text: `The link is good for an hour. If you did not ask for it, do nothing.\n\n${mail.facts.link}\n`,
      };
    case 'documentExpires': {
      const { expiresOn, lastDay } = mail.facts;
      const when = lastDay ? `Today, ${expiresOn}, is its last day` : `It is good until ${expiresOn}`;
      return {
        subject: 'Your identity document is about to expire',
        text: `The document you showed us will soon be out of date. ${when}. Please send a new one: after that day payments are refused.\n`,
      };
    }
    case 'cardRemoved':
      return {
        subject: 'Your card was removed',
        text: `The card that ends with ${mail.facts.lastFourDigits} cannot be used any more. Please destroy it if you hold it.\n`,
      };
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
