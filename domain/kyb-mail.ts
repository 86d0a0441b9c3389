import { assertNever } from './errors.ts';
import type { KybSection } from './kyb-application.ts';
import type { MailText } from './mail-text.ts';

/** Mails to the applicant (onboarding 8.4, mails 1 to 5); comments and corrections are both mail 3. */
export type KybMail =
  | 'invitation'
  | 'started'
  | 'reminder'
  | 'link'
  | 'submitted'
  | 'comment'
  | 'correction'
  | 'accepted'
  | 'rejected';

/** All that waits in the outbox: who and what is read from the application when the mail goes out. */
export interface KybMailFacts {
  readonly applicationId: string;
  readonly mail: KybMail;
  /** With `comment`. */
  readonly commentId?: string;
}

/** What a mail is filled with; never stored. */
export interface KybMailContent {
  readonly programme: string;
  readonly contactName: string;
  /** Address under which the application is resumed; null when there is nothing left to do. */
  readonly link: string | null;
  readonly comment: string | null;
  readonly reason: string | null;
  readonly sections: readonly KybSection[];
}

/** True for mails with a link by which the application is opened. */
export const hasLink = (mail: KybMail): boolean => mail !== 'accepted' && mail !== 'rejected';

/** Subject and text of a mail to the applicant. */
export function kybMailText(mail: KybMail, content: KybMailContent): MailText {
  const { subject, body } = partsOf(mail, content);
  const link = content.link === null ? '' : `\nOpen your application (14 days):\n${content.link}\n`;
  return {
    subject: `${content.programme}: ${subject}`,
    text: `Dear ${content.contactName},\n\n${body}\n${link}`,
  };
}

function partsOf(mail: KybMail, content: KybMailContent): { subject: string; body: string } {
  switch (mail) {
    case 'invitation':
      return {
        subject: 'application for your company',
        body: 'An application for your company was prepared. Please complete it and send it in.',
      };
    case 'started':
      return {
        subject: 'your application was saved',
        body: 'Your application was saved. You can go on with it at any time.',
      };
    case 'reminder':
      return {
        subject: 'your application waits for you',
        body: 'Your application is not sent in yet. It expires 30 days after its last change.',
      };
    case 'link':
      return {
        subject: 'link to your application',
        body: 'Here is the link you asked for. Older links have ended.',
      };
    case 'submitted':
      return { subject: 'your application has arrived', body: 'We have your application and look into it.' };
    case 'comment':
      return {
        subject: 'a comment on your application',
        body: `We wrote to you:\n\n${content.comment ?? ''}`,
      };
    case 'correction':
      return {
        subject: 'please correct your application',
        body: `Please correct these parts and send the application again: ${content.sections.join(', ')}.`,
      };
    case 'accepted':
      return { subject: 'your application was accepted', body: AGREEMENT };
    case 'rejected':
      return {
        subject: 'your application was not accepted',
        body: `We cannot accept your application.\n\n${content.reason ?? ''}`,
      };
    default:
      return assertNever(mail);
  }
}

const AGREEMENT = `Your application was accepted. The framework agreement for your signature:

FRAMEWORK AGREEMENT
1. Parties: the issuer of the programme and the company that has applied.
2. Subject: payment accounts and cards of the company and of its employees.
3. Start: the day on which both parties have signed.

Please sign it and send it back by answering this mail.`;
