import { assertNever } from './errors.ts';
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

/** Everything that is mailed, by its template. */
export type Mail =
  | SecretMail
  | {
      readonly template: 'partnerBalanceLow';
      readonly facts: PartnerBalanceFacts & { readonly reminder: boolean };
    }
  | { readonly template: 'partnerBalanceRecovered'; readonly facts: PartnerBalanceFacts }
  | {
      readonly template: 'certificateIssued';
      readonly facts: { readonly label: string; readonly serial: string; readonly notAfter: string };
    };

/** Mails without secrets. */
export type OpenMail = Exclude<Mail, SecretMail>;

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

/** Subject and text of a mail (money 2). */
export function mailText(mail: Mail): MailText {
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
    case 'certificateIssued': {
      const { label, serial, notAfter } = mail.facts;
      return {
        subject: `Your certificate ${label} is issued`,
        text: `It is good until ${notAfter}. Ask the one who handed in your request for the file.\n\nSerial: ${serial}\n`,
      };
    }
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
