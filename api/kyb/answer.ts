import type { Trx } from '../../db/atomically.ts';
import { commentPlace, type KybApplication, kybTextPlace } from '../../db/kyb-applications.ts';
import { kybDocuments } from '../../db/kyb-documents.ts';
import { kybComments } from '../../db/kyb-reviews.ts';
import type { KybSection } from '../../domain/kyb-application.ts';
import type { KybPerson } from '../../domain/kyb-form.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import type { KybApplicationAnswer } from '../schemas/kyb.ts';
import { openForm, type OpenedForm } from './open-form.ts';

/** An application as its applicant sees it: the wire's form, comments, documents (onboarding 8.4). */
export async function kybAnswer(
  trx: Trx,
  vault: Vault,
  application: KybApplication,
): Promise<KybApplicationAnswer> {
  const { applicationId, subjectKey, status, channel, round } = application;
  const form = await openForm(trx, vault, application);
  const comments = await kybComments(trx, applicationId);
  const documents = await kybDocuments(trx, applicationId);
  const open = (place: ReturnType<typeof commentPlace> | ReturnType<typeof kybTextPlace>, sealed: Buffer) =>
    openPersonal<string>(vault, subjectKey, place, sealed);
  return {
    applicationId,
    status,
    channel,
    round,
    sections: form.marks.map(({ section, state }) => ({ section, state, content: contentOf(form, section) })),
    comments: comments.map(({ commentId, section, text, createdAt }) => ({
      commentId,
      section,
      text: open(commentPlace(commentId), text),
      createdAt: createdAt.toISOString(),
    })),
    documents: documents.map((one) => ({
      documentId: one.documentId,
      type: one.type,
      personId: one.personId,
      documentType: one.documentType,
      mediaType: one.mediaType,
      bytes: one.bytes,
      createdAt: one.createdAt.toISOString(),
    })),
    reason:
      status === 'REJECTED' && application.reason !== null
        ? open(kybTextPlace(applicationId, 'reason'), application.reason)
        : null,
    createdAt: application.createdAt.toISOString(),
    submittedAt: application.submittedAt?.toISOString() ?? null,
    decidedAt: application.decidedAt?.toISOString() ?? null,
  };
}

function contentOf(form: OpenedForm, section: KybSection): Record<string, unknown> | null {
  switch (section) {
    case 'CONTACT':
      return form.contact === null ? null : { ...form.contact };
    case 'ENTITY':
      return form.entity === null ? null : { ...form.entity };
    case 'BUSINESS':
      return form.business === null ? null : { ...form.business };
    case 'PERSONS':
      return form.persons === null
        ? null
        : { ...form.persons, persons: form.persons.persons.map(toWirePerson) };
    case 'DOCUMENTS':
      return null;
  }
}

const toWirePerson = ({ ownership, ...person }: KybPerson) => ({
  ...person,
  ownershipPercent: ownership === null ? null : ownership / 100,
});
