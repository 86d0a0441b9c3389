import type { Kysely } from 'kysely';
import { atomically } from '../db/atomically.ts';
import type { Database } from '../db/database.ts';
import {
  commentPlace,
  type KybApplication,
  kybTextPlace,
  readKybApplication,
  sectionPlace,
  sectionRows,
} from '../db/kyb-applications.ts';
import { kybComments } from '../db/kyb-reviews.ts';
import { addKybToken } from '../db/kyb-tokens.ts';
import { programmeName } from '../db/partners.ts';
import { isFinal } from '../domain/kyb-application.ts';
import type { ContactSection } from '../domain/kyb-form.ts';
import { hasLink, type KybMailFacts, kybMailText } from '../domain/kyb-mail.ts';
import { openPersonal } from '../vault/personal-data.ts';
import { newToken } from '../vault/session-token.ts';
import type { Vault } from '../vault/vault.ts';
import type { ReadyMail } from './mail-relay.ts';

interface KybMailParts {
  /** Connection of the role cardloom_engine. */
  readonly engine: Kysely<Database>;
  readonly vault: Vault;
  readonly publicUrl: string;
}

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'mail-relay' },
  requestId: 'mail-relay',
  ip: null,
} as const;

/**
 * Makes mails to applicants when they go out: address and texts are opened then, and the token of the link is
 * born then, so that neither waits anywhere in clear. A mail that is tried again carries a fresh token.
 */
export const createKybMails =
  ({ engine, vault, publicUrl }: KybMailParts) =>
  async (facts: KybMailFacts): Promise<ReadyMail | null> =>
    await atomically(engine, caller, async (trx) => {
      const application = await readKybApplication(trx, 'every', facts.applicationId);
      const sections = await sectionRows(trx, facts.applicationId);
      const contact = contactOf(
        vault,
        application,
        sections.find((one) => one.section === 'CONTACT')?.content,
      );
      if (contact === null) return null;
      const { token, hash } = newToken(vault, 'kyb');
      const linked = hasLink(facts.mail) && !isFinal(application.status);
      if (linked) await addKybToken(trx, application, hash);
      const comments = await kybComments(trx, facts.applicationId);
      const comment = comments.find((one) => one.commentId === facts.commentId);
      const open = (place: Parameters<typeof openPersonal>[2], sealed: Buffer) =>
        openPersonal<string>(vault, application.subjectKey, place, sealed);
      return {
        to: contact.contactEmail,
        ...kybMailText(facts.mail, {
          programme: await programmeName(trx, application.programmeId),
          contactName: contact.contactName,
          link: linked ? `${publicUrl}/kyb/resume?token=${token}` : null,
          comment: comment === undefined ? null : open(commentPlace(comment.commentId), comment.text),
          reason:
            facts.mail === 'rejected' && application.reason !== null
              ? open(kybTextPlace(facts.applicationId, 'reason'), application.reason)
              : null,
          sections: sections.filter((one) => one.state === 'NEEDS_CORRECTION').map((one) => one.section),
        }),
      };
    });

function contactOf(
  vault: Vault,
  { applicationId, subjectKey }: KybApplication,
  sealed: Buffer | null | undefined,
): ContactSection | null {
  if (sealed === null || sealed === undefined) return null;
  return openPersonal<ContactSection>(vault, subjectKey, sectionPlace(applicationId, 'CONTACT'), sealed);
}
