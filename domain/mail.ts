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

/** Everything that is mailed, by its template. */
export type Mail = PlainMail | { readonly template: 'kyb'; readonly facts: KybMailFacts };

/** Mails whose facts hold all they say. */
export type PlainMail =
  | {
      readonly template: 'partnerBalanceLow';
      readonly facts: PartnerBalanceFacts & { readonly reminder: boolean };
    }
  | { readonly template: 'partnerBalanceRecovered'; readonly facts: PartnerBalanceFacts };

/** Subject and text of a mail (money 2). */
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
