import { listAudit } from '../../db/audit-trail.ts';
import {
  kybProgress,
  listKybApplications,
  lockKybApplication,
  readKybApplication,
} from '../../db/kyb-applications.ts';
import { auditKybDocumentRead, readKybDocument } from '../../db/kyb-documents.ts';
import { addKybComment, auditKybRead, claimKyb, releaseKyb } from '../../db/kyb-reviews.ts';
import { listHits } from '../../db/screening-hits.ts';
import { KYB_SECTIONS, KYB_STATUSES } from '../../domain/kyb-application.ts';
import { readDocument } from '../../vault/document-store.ts';
import { sealPersonal } from '../../vault/personal-data.ts';
import { kybFormRoutes } from '../kyb/form-routes.ts';
import { beginKyb } from '../kyb/intake.ts';
import {
  adminRoute,
  type OperatorPrincipal,
  operatorProgrammeIds,
  programmeOfCode,
} from '../operator-principal.ts';
import { routesOf } from '../route.ts';
import { contactMembers } from '../schemas/kyb-sections.ts';
import { kybCaseSchema, kybQueueItemSchema, kybReviewSchema } from '../schemas/kyb-review.ts';
import { toHit } from '../schemas/screening.ts';
import { issuerCode, listOf, page, text, uuid, word, z } from '../schemas/shared.ts';
import { toHistory } from '../schemas/verification-review.ts';
import { kybReviewAnswer, toKybQueueItem } from './kyb-answer.ts';
import { operatorPage } from './lists.ts';

const HISTORY_SHOWN = 200;

const handling = { permission: 'kyb.handle', jwe: 'open' } as const;
const ofApplication = z.strictObject({ applicationId: uuid() });

const list = adminRoute({
  ...handling,
  operation: 'adminListKybApplications',
  method: 'GET',
  path: '/kyb/applications',
  summary: 'List the applications of companies',
  idempotency: 'ignored',
  query: z.strictObject({
    ...page,
    status: word(KYB_STATUSES).optional(),
    q: text(1, 140).optional().openapi({ description: 'id, tax id, or how the name begins' }),
    claimedBy: text(1, 64).optional(),
  }),
  answers: { 200: { description: 'applications, newest first', schema: listOf(kybQueueItemSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const { principal } = call;
    const scope = operatorProgrammeIds(principal);
    const body = await call.atomically(async (trx) => {
      const found = await operatorPage(call, {
        operation: 'adminListKybApplications',
        filters,
        page: { limit, cursor },
        read: (before, most) =>
          listKybApplications(trx, { ...filters, scope, limit: most, beforeId: before ?? null }),
        positionOf: (one) => one.applicationId,
        toItem: (one) => one,
      });
      const progress = await kybProgress(
        trx,
        found.items.map((one) => one.applicationId),
      );
      const none = { verifiedSections: 0, comments: 0 };
      const items = found.items.map((one) =>
        toKybQueueItem(trx, principal, one, progress.get(one.applicationId) ?? none),
      );
      return { ...found, items };
    });
    return { status: 200, body };
  },
});

const begin = adminRoute({
  ...handling,
  operation: 'adminBeginKybApplication',
  method: 'POST',
  path: '/kyb/applications',
  summary: 'Begin the application of a company; its contact is invited by mail',
  idempotency: 'accepted',
  body: z.strictObject({ ...contactMembers, issuerCode: issuerCode() }).openapi('KybContactOfProgramme'),
  answers: { 201: { description: 'the application', schema: kybReviewSchema } },
  refusals: ['PROGRAMME_NOT_FOUND'],
  handle: (call) =>
    call.once(async (trx) => {
      const { vault } = call.services;
      const { issuerCode: code, ...contact } = call.body;
      const programme = programmeOfCode(call.principal, code);
      const application = await beginKyb(trx, vault, programme, { contact, channel: 'ADMIN', ip: null });
      return {
        status: 201,
        body: await kybReviewAnswer(trx, vault, call.principal, application),
        location: `/admin/kyb/applications/${application.applicationId}`,
      };
    }),
});

const read = adminRoute({
  ...handling,
  operation: 'adminReadKybApplication',
  method: 'GET',
  path: '/kyb/applications/{applicationId}',
  summary: 'Read an application with screening hits and history',
  idempotency: 'ignored',
  params: ofApplication,
  answers: { 200: { description: 'the case', schema: kybCaseSchema } },
  refusals: ['APPLICATION_NOT_FOUND'],
  handle: async (call) => {
    const { principal, services } = call;
    const { applicationId } = call.params;
    const { partnerId, answer } = await call.atomically(async (trx) => {
      const application = await readKybApplication(trx, operatorProgrammeIds(principal), applicationId);
      await auditKybRead(trx, application);
      return {
        partnerId: application.partnerId,
        answer: await kybReviewAnswer(trx, services.vault, principal, application),
      };
    });
    // Entries of lists and audit rows belong to nobody that row security knows.
    const body = await call.asEngine(async (trx) => {
      const page = { limit: HISTORY_SHOWN, beforeId: null };
      const hits = await listHits(trx, { partnerId, kybApplicationId: applicationId }, page);
      const about = { partnerId, objectType: 'kyb_application', objectId: applicationId };
      const history = await listAudit(trx, about, undefined, HISTORY_SHOWN);
      return { ...answer, hits: hits.map(toHit), history: history.map(toHistory) };
    });
    return { status: 200, body };
  },
});

const claiming = {
  ...handling,
  method: 'POST',
  idempotency: 'accepted',
  params: ofApplication,
  refusals: ['APPLICATION_NOT_FOUND', 'CLAIMED_BY_OTHER'],
} as const;

const claim = adminRoute({
  ...claiming,
  operation: 'claimKybApplication',
  path: '/kyb/applications/{applicationId}/claim',
  summary: 'Tell others for 30 minutes that one looks at an application',
  answers: { 204: { description: 'claimed' } },
  handle: (call) =>
    call.once(async (trx) => {
      const { principal, params } = call;
      const application = await lockKybApplication(
        trx,
        operatorProgrammeIds(principal),
        params.applicationId,
      );
      await claimKyb(trx, application, principal.operatorId);
      return { status: 204 };
    }),
});

const release = adminRoute({
  ...claiming,
  operation: 'releaseKybApplication',
  path: '/kyb/applications/{applicationId}/release',
  summary: 'Give a claim back',
  answers: { 204: { description: 'free' } },
  handle: (call) =>
    call.once(async (trx) => {
      const { principal, params } = call;
      const application = await lockKybApplication(
        trx,
        operatorProgrammeIds(principal),
        params.applicationId,
      );
      await releaseKyb(trx, application, principal.operatorId);
      return { status: 204 };
    }),
});

const comment = adminRoute({
  ...handling,
  operation: 'commentKybApplication',
  method: 'POST',
  path: '/kyb/applications/{applicationId}/comments',
  summary: 'Write to the applicant, who is mailed',
  idempotency: 'accepted',
  params: ofApplication,
  body: z.strictObject({ section: word(KYB_SECTIONS).nullish(), text: text(1, 2000) }).openapi('KybComment'),
  answers: { 201: { description: 'written', schema: z.strictObject({ commentId: uuid() }) } },
  refusals: ['APPLICATION_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const { principal, params, services } = call;
      const application = await lockKybApplication(
        trx,
        operatorProgrammeIds(principal),
        params.applicationId,
      );
      const { section = null, text: words } = call.body;
      const { operatorId } = principal;
      const written = { text: words, operatorId, ...(section === null ? {} : { section }) };
      const commentId = await addKybComment(trx, application, written, (place, clear) =>
        sealPersonal(services.vault, application.subjectKey, place, clear),
      );
      return { status: 201, body: { commentId } };
    }),
});

const document = adminRoute({
  ...handling,
  operation: 'readKybDocument',
  method: 'GET',
  path: '/kyb/applications/{applicationId}/documents/{documentId}',
  summary: 'Get a document of an application as a file',
  jwe: 'none',
  idempotency: 'ignored',
  params: z.strictObject({ applicationId: uuid(), documentId: uuid() }),
  answers: { 200: { description: 'the bytes, to be saved' } },
  refusals: ['APPLICATION_NOT_FOUND', 'DOCUMENT_NOT_FOUND'],
  handle: async (call) => {
    const { vault, documents } = call.services;
    const { applicationId, documentId } = call.params;
    const { mediaType, subjectKey, key } = await call.atomically(async (trx) => {
      const application = await readKybApplication(trx, operatorProgrammeIds(call.principal), applicationId);
      const found = await readKybDocument(trx, applicationId, documentId);
      await auditKybDocumentRead(trx, application, documentId);
      return { mediaType: found.mediaType, key: found.storeKey, subjectKey: application.subjectKey };
    });
    return {
      status: 200,
      file: { mediaType, bytes: await readDocument(vault, documents, { subjectKey, key }) },
    };
  },
});

export const kyb = [
  list,
  begin,
  read,
  claim,
  release,
  comment,
  document,
  ...kybFormRoutes({
    route: routesOf<OperatorPrincipal>(),
    prefix: 'admin',
    path: '/kyb/applications',
    role: { permission: 'kyb.handle', stepUp: false, fourEyes: null },
    owner: 'operator',
    ownRead: true,
    sees: (principal) => ({ scope: operatorProgrammeIds(principal) }),
  }),
];
