import type { Trx } from '../../db/atomically.ts';
import { listAudit } from '../../db/audit-trail.ts';
import { customersByIds, readCustomer } from '../../db/customers.ts';
import { listHits } from '../../db/screening-hits.ts';
import {
  auditCaseRead,
  claimVerification,
  documentsOf,
  editVerification,
  readDocumentAudited,
  releaseVerification,
  searchVerifications,
} from '../../db/verification-reviews.ts';
import { readVerification, type Verification } from '../../db/verifications.ts';
import { Refusal } from '../../domain/errors.ts';
import { mayReview } from '../../domain/verification.ts';
import { readDocument } from '../../vault/document-store.ts';
import {
  adminRoute,
  type OperatorPrincipal,
  operatorProgrammeIds,
  programmeOfResource,
} from '../operator-principal.ts';
import {
  caseSchema,
  openForm,
  queueItemSchema,
  toCase,
  toQueueItem,
} from '../schemas/verification-review.ts';
import {
  changeForm,
  verificationBody,
  verificationChangeBody,
  verificationSchema,
} from '../schemas/verification.ts';
import { listOf, page, pathIntegerId, timeSpan, uuid, withinSpan, word, z } from '../schemas/shared.ts';
import { FORM_BYTES, sealForm, SUBMIT_REFUSALS, submitForm } from '../submit-verification.ts';
import { operatorPage } from './lists.ts';

const HISTORY_SHOWN = 200;

const handling = { permission: 'verifications.handle', jwe: 'open' } as const;
const reviewing = { permission: 'verifications.decide', jwe: 'open' } as const;
const ofVerification = z.strictObject({ verificationId: uuid() });

const list = adminRoute({
  ...handling,
  operation: 'adminListVerifications',
  method: 'GET',
  path: '/verifications',
  summary: 'List verifications, those that have waited longest first',
  idempotency: 'ignored',
  query: withinSpan(
    z.strictObject({
      ...page,
      ...timeSpan,
      customerId: pathIntegerId().optional(),
      status: word(['IN_PROGRESS', 'ACCEPTED', 'REJECTED']).optional(),
      stage: word(['RECEIVED', 'PROVIDER', 'REVIEW', 'CLOSED']).optional(),
      claimedBy: uuid().optional(),
    }),
  ),
  answers: { 200: { description: 'verifications', schema: listOf(queueItemSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const scope = operatorProgrammeIds(call.principal);
    const body = await call.atomically(async (trx) => {
      const found = await operatorPage(call, {
        operation: 'adminListVerifications',
        filters,
        page: { limit, cursor },
        read: (after, most) =>
          searchVerifications(trx, scope, filters, { limit: most, afterId: after ?? null }),
        positionOf: (one) => one.verificationId,
        toItem: (one) => one,
      });
      const ids = [...new Set(found.items.map((one) => one.customerId))];
      const customers = await customersByIds(trx, scope, ids);
      const items = found.items.map((one) => toQueueItem(trx, call.services.vault, customers, one));
      return { ...found, items };
    });
    return { status: 200, body };
  },
});

const read = adminRoute({
  ...handling,
  operation: 'adminReadVerification',
  method: 'GET',
  path: '/verifications/{verificationId}',
  summary: 'Read a case with form, flags, screening hits, documents and history',
  idempotency: 'ignored',
  params: ofVerification,
  answers: { 200: { description: 'the case', schema: caseSchema } },
  refusals: ['VERIFICATION_NOT_FOUND'],
  handle: async (call) => {
    const scope = operatorProgrammeIds(call.principal);
    const seen = await call.atomically(async (trx) => {
      const verification = await readVerification(trx, scope, call.params);
      await auditCaseRead(trx, verification);
      const customer = await readCustomer(trx, scope, verification.customerId);
      const attempts = await searchVerifications(
        trx,
        scope,
        { customerId: customer.customerId },
        { limit: HISTORY_SHOWN, afterId: null },
      );
      return {
        verification,
        customer,
        attempts,
        documents: await documentsOf(trx, verification.verificationId),
      };
    });
    const { partnerId, verificationId, customerId } = seen.verification;
    // Entries of lists and audit rows belong to nobody that row security knows.
    const body = await call.asEngine(async (trx) =>
      toCase(trx, call.services.vault, {
        ...seen,
        hits: await listHits(
          trx,
          { partnerId, subjectType: 'CUSTOMER', subjectId: String(customerId) },
          { limit: HISTORY_SHOWN, beforeId: null },
        ),
        history: await listAudit(
          trx,
          { partnerId, objectType: 'verification', objectId: verificationId },
          undefined,
          HISTORY_SHOWN,
        ),
      }),
    );
    return { status: 200, body };
  },
});

const claiming = {
  ...handling,
  method: 'POST',
  idempotency: 'accepted',
  params: ofVerification,
  refusals: ['VERIFICATION_NOT_FOUND', 'CLAIMED_BY_OTHER'],
} as const;

const claim = adminRoute({
  ...claiming,
  operation: 'claimVerification',
  path: '/verifications/{verificationId}/claim',
  summary: 'Tell others for 30 minutes that one looks at a case',
  answers: { 204: { description: 'claimed' } },
  handle: (call) =>
    call.once(async (trx) => {
      const { principal, params } = call;
      await claimVerification(
        trx,
        operatorProgrammeIds(principal),
        params.verificationId,
        principal.operatorId,
      );
      return { status: 204 };
    }),
});

const release = adminRoute({
  ...claiming,
  operation: 'releaseVerification',
  path: '/verifications/{verificationId}/release',
  summary: 'Give a claim back',
  answers: { 204: { description: 'free' } },
  handle: (call) =>
    call.once(async (trx) => {
      const { principal, params } = call;
      await releaseVerification(
        trx,
        operatorProgrammeIds(principal),
        params.verificationId,
        principal.operatorId,
      );
      return { status: 204 };
    }),
});

const submit = adminRoute({
  ...handling,
  operation: 'adminSubmitVerification',
  method: 'POST',
  path: '/customers/{customerId}/verifications',
  summary: 'Send the verification form of a user',
  idempotency: 'accepted',
  contentType: 'multipart/form-data',
  maxBodyBytes: FORM_BYTES,
  params: z.strictObject({ customerId: pathIntegerId() }),
  body: verificationBody,
  answers: { 201: { description: 'the verification', schema: verificationSchema } },
  refusals: ['USER_NOT_FOUND', ...SUBMIT_REFUSALS],
  handle: (call) =>
    submitForm(call, {
      customerId: call.params.customerId,
      channel: 'ADMIN',
      location: '/admin/verifications',
    }),
});

const edit = adminRoute({
  ...reviewing,
  operation: 'changeVerification',
  method: 'PUT',
  path: '/verifications/{verificationId}',
  summary: 'Correct the text fields of a form; the user stays as they are until an acceptance',
  idempotency: 'accepted',
  params: ofVerification,
  body: verificationChangeBody,
  answers: { 200: { description: 'the case as the queue shows it', schema: queueItemSchema } },
  refusals: ['VERIFICATION_NOT_FOUND', 'VERSION_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const { vault } = call.services;
      const { verificationId } = call.params;
      const scope = operatorProgrammeIds(call.principal);
      const verification = await readReviewable(trx, call.principal, verificationId);
      const customer = await readCustomer(trx, scope, verification.customerId);
      const form = changeForm(openForm(vault, customer, verification), call.body);
      const edited = await editVerification(trx, scope, verificationId, {
        version: call.body.version,
        ...sealForm(vault, customer, verificationId, form),
      });
      const customers = new Map([[customer.customerId, customer]]);
      return { status: 200, body: toQueueItem(trx, vault, customers, edited) };
    }),
});

const document = adminRoute({
  ...reviewing,
  operation: 'readVerificationDocument',
  method: 'GET',
  path: '/verifications/{verificationId}/documents/{documentId}',
  summary: 'Get a picture of a form as a file',
  jwe: 'none',
  idempotency: 'ignored',
  params: z.strictObject({ verificationId: uuid(), documentId: uuid() }),
  answers: { 200: { description: 'the bytes, to be saved' } },
  refusals: ['VERIFICATION_NOT_FOUND', 'DOCUMENT_NOT_FOUND'],
  handle: async (call) => {
    const { vault, documents } = call.services;
    const scope = operatorProgrammeIds(call.principal);
    const found = await call.atomically(async (trx) => {
      await readReviewable(trx, call.principal, call.params.verificationId);
      const { verification, ...picture } = await readDocumentAudited(trx, scope, call.params);
      const { subjectKey } = await readCustomer(trx, scope, verification.customerId);
      return { ...picture, subjectKey };
    });
    const { mediaType, subjectKey, storeKey: key } = found;
    return {
      status: 200,
      file: { mediaType, bytes: await readDocument(vault, documents, { subjectKey, key }) },
    };
  },
});

/** A verification whose programme lets the operator review. Throws `VERIFICATION_NOT_FOUND`, `FORBIDDEN`. */
export async function readReviewable(
  trx: Trx,
  principal: OperatorPrincipal,
  verificationId: string,
): Promise<Verification> {
  const found = await readVerification(trx, operatorProgrammeIds(principal), { verificationId });
  const { kycReviewRoles } = programmeOfResource(principal, found.programmeId);
  if (mayReview(principal.role, kycReviewRoles)) return found;
  throw new Refusal('FORBIDDEN', 'This role does not review in this programme.');
}

export const verifications = [list, read, claim, release, submit, edit, document];
