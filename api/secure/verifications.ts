import { newId, nowOf, type Trx } from '../../db/atomically.ts';
import { type Customer, lockCustomer, readCustomer } from '../../db/customers.ts';
import type { Programme } from '../../db/partners.ts';
import {
  formPlace,
  listVerifications,
  readVerification,
  refuseSubmission,
  type StoredPicture,
  submitVerification,
  type Verification,
  verificationNotFound,
} from '../../db/verifications.ts';
import { Refusal } from '../../domain/errors.ts';
import { flagsOf, isExpired, type PictureKind, type VerificationForm } from '../../domain/verification.ts';
import { putDocument, removeDocument } from '../../vault/document-store.ts';
import { sealPersonal } from '../../vault/personal-data.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, programmeIds, programmeOf } from '../partner-principal.ts';
import { openPerson, refuseUnderage } from '../personal-data.ts';
import { type CheckedPicture, createPictureChecker } from '../pictures.ts';
import { listOf, page, pathIntegerId, uuid, z } from '../schemas/shared.ts';
import {
  toForm,
  toVerificationAnswer,
  verificationBody,
  verificationSchema,
} from '../schemas/verification.ts';
import type { Services } from '../services.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const FORM_BYTES = 32_000_000;
const ofCustomer = z.strictObject({ customerId: pathIntegerId() });

// Its process starts with the first picture and ends with ours.
const pictureChecker = createPictureChecker();

const register = partnerRoute({
  ...shared,
  operation: 'submitVerification',
  method: 'POST',
  path: '/customers/{customerId}/register',
  aliases: [{ path: '/customers/{customerId}/verification' }],
  summary: 'Send the verification form of a user',
  idempotency: 'accepted',
  contentType: 'multipart/form-data',
  maxBodyBytes: FORM_BYTES,
  params: ofCustomer,
  body: verificationBody,
  answers: { 201: { description: 'the verification', schema: verificationSchema } },
  refusals: [
    'USER_NOT_FOUND',
    'VERIFICATION_IN_PROGRESS',
    'PAYLOAD_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'USER_NOT_ACTIVE',
    'UNDERAGE',
    'DOCUMENT_EXPIRED',
    'DOCUMENT_UNREADABLE',
    'TOO_MANY_REQUESTS',
  ],
  handle: async (call) => {
    const { services, principal, params, body } = call;
    const scope = programmeIds(principal);
    // Reading pictures takes long: somebody else's user is refused before, and no row is held meanwhile.
    await call.atomically((trx) => readCustomer(trx, scope, params.customerId));
    const pictures = await readPictures(body);
    const stored: StoredPicture[] = [];
    try {
      return await call.once(async (trx) => {
        const customer = await lockCustomer(trx, scope, params.customerId);
        const programme = programmeOf(principal, customer.programmeId);
        const form = toForm(body);
        await refuseSubmission(trx, customer);
        refuseForm(trx, programme, form);
        if (pictures instanceof Refusal) throw pictures;
        for (const picture of pictures) stored.push(await store(services, customer, picture));
        const verification = await submit(trx, services, { programme, customer, form, pictures: stored });
        return {
          status: 201,
          body: toVerificationAnswer(verification),
          location: `/secure/customers/${params.customerId}/verifications/${verification.verificationId}`,
        };
      });
    } catch (error) {
      // Only a refusal is sure to have left no row behind; after a broken connection the files may be needed.
      if (error instanceof Refusal) {
        for (const picture of stored) await removeDocument(services.documents, picture.storeKey);
      }
      throw error;
    }
  },
});

const readLatest = partnerRoute({
  ...shared,
  operation: 'readLatestVerification',
  method: 'GET',
  path: '/customers/{customerId}/verification',
  summary: 'Read the latest verification of a user',
  idempotency: 'ignored',
  params: ofCustomer,
  answers: { 200: { description: 'the verification', schema: verificationSchema } },
  refusals: ['USER_NOT_FOUND', 'VERIFICATION_NOT_FOUND'],
  handle: async (call) => {
    const { customerId } = call.params;
    const body = await call.atomically(async (trx) => {
      await readCustomer(trx, programmeIds(call.principal), customerId);
      const [latest] = await listVerifications(trx, customerId, { limit: 1, beforeId: null });
      if (latest === undefined) throw verificationNotFound();
      return toVerificationAnswer(latest);
    });
    return { status: 200, body };
  },
});

const list = partnerRoute({
  ...shared,
  operation: 'listVerifications',
  method: 'GET',
  path: '/customers/{customerId}/verifications',
  summary: 'List the verifications of a user',
  idempotency: 'ignored',
  params: ofCustomer,
  query: z.strictObject(page),
  answers: { 200: { description: 'verifications, newest first', schema: listOf(verificationSchema) } },
  refusals: ['USER_NOT_FOUND', 'INVALID_CURSOR'],
  handle: async (call) => {
    const { customerId } = call.params;
    const { vault, nowMs } = call.services;
    const body = await call.atomically(async (trx) => {
      await readCustomer(trx, programmeIds(call.principal), customerId);
      return await readPage(
        vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listVerifications',
          filters: { customerId },
        },
        call.query,
        nowMs(),
        (before, limit) => listVerifications(trx, customerId, { limit, beforeId: before ?? null }),
        (verification) => verification.verificationId,
        toVerificationAnswer,
      );
    });
    return { status: 200, body };
  },
});

const readOne = partnerRoute({
  ...shared,
  operation: 'readVerification',
  method: 'GET',
  path: '/customers/{customerId}/verifications/{verificationId}',
  summary: 'Read a verification of a user',
  idempotency: 'ignored',
  params: z.strictObject({ customerId: pathIntegerId(), verificationId: uuid() }),
  answers: { 200: { description: 'the verification', schema: verificationSchema } },
  refusals: ['VERIFICATION_NOT_FOUND'],
  handle: async (call) => {
    const body = await call.atomically((trx) =>
      readVerification(trx, programmeIds(call.principal), call.params),
    );
    return { status: 200, body: toVerificationAnswer(body) };
  },
});

export const verifications = [register, readLatest, list, readOne];

/** All pictures of a form, or `DOCUMENT_UNREADABLE`. Throws what `PictureChecker.check` throws. */
async function readPictures(body: z.output<typeof verificationBody>): Promise<CheckedPicture[] | Refusal> {
  const files: [PictureKind, typeof body.imageBack][] = [
    ['FACE', body.imageFace],
    ['FRONT', body.imageFront],
    ['BACK', body.imageBack],
  ];
  const checked: CheckedPicture[] = [];
  let refusal: Refusal | null = null;
  for (const [kind, file] of files) {
    if (file === undefined) continue;
    const result = await pictureChecker.check(kind, file);
    if (result instanceof Refusal) refusal ??= result;
    else checked.push(result);
  }
  return refusal ?? checked;
}

function refuseForm(trx: Trx, programme: Programme, form: VerificationForm): void {
  const today = nowOf(trx).toISOString().slice(0, 10);
  refuseUnderage(form.birthDate, programme.minAge, today);
  if (programme.kycMode !== 'EXTERNAL' && isExpired(form.documentExpirationDate, today)) {
    throw new Refusal('DOCUMENT_EXPIRED', 'The document is no longer good.');
  }
}

async function store(
  services: Services,
  customer: Customer,
  picture: CheckedPicture,
): Promise<StoredPicture> {
  const { subjectKey } = customer;
  const put = await putDocument(services.vault, services.documents, { subjectKey, content: picture.content });
  const { kind, mediaType } = picture;
  return { kind, mediaType, bytes: put.bytes, sha256: put.sha256, storeKey: put.key };
}

interface Submitted {
  readonly programme: Programme;
  readonly customer: Customer;
  readonly form: VerificationForm;
  readonly pictures: readonly StoredPicture[];
}

async function submit(
  trx: Trx,
  { vault }: Services,
  { programme, customer, form, pictures }: Submitted,
): Promise<Verification> {
  const verificationId = newId(trx);
  return await submitVerification(trx, programme, customer, {
    verificationId,
    form: sealPersonal(vault, customer.subjectKey, formPlace(verificationId), form),
    flags: flagsOf(form, openPerson(vault, customer)),
    riskLevel: form.pep ? 'HIGH' : form.riskLevel,
    pep: form.pep,
    documentExpirationDate: form.documentExpirationDate,
    channel: 'SERVER',
    pictures,
  });
}
