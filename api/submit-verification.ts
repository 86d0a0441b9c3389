import { newId, nowOf, type Trx } from '../db/atomically.ts';
import { type Customer, lockCustomer, readCustomer } from '../db/customers.ts';
import type { Programme } from '../db/partners.ts';
import {
  formPlace,
  refuseSubmission,
  type StoredPicture,
  submitVerification,
  type Verification,
} from '../db/verifications.ts';
import { Refusal, type RefusalCode } from '../domain/errors.ts';
import {
  flagsOf,
  isExpired,
  joinMarks,
  type PictureKind,
  type VerificationForm,
} from '../domain/verification.ts';
import { putDocument, removeDocument } from '../vault/document-store.ts';
import { sealPersonal } from '../vault/personal-data.ts';
import type { Vault } from '../vault/vault.ts';
import { openPerson, refuseUnderage } from './personal-data.ts';
import { type CheckedPicture, createPictureChecker } from './pictures.ts';
import { programmeIds, programmeOf, type Reach } from './reach.ts';
import type { Answer, Call } from './route.ts';
import type { z } from './schemas/shared.ts';
import { toForm, toVerificationAnswer, type verificationBody } from './schemas/verification.ts';
import type { Services } from './services.ts';

// The intake of the verification form (onboarding 5), the same for all channels.

export const FORM_BYTES = 32_000_000;

export const SUBMIT_REFUSALS = [
  'VERIFICATION_IN_PROGRESS',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'USER_NOT_ACTIVE',
  'UNDERAGE',
  'DOCUMENT_EXPIRED',
  'DOCUMENT_UNREADABLE',
  'TOO_MANY_REQUESTS',
] as const satisfies readonly RefusalCode[];

// Its process starts with the first picture and ends with ours.
const pictureChecker = createPictureChecker();

type SubmitCall = Call<Pick<Reach, 'programmes'>, unknown, unknown, z.output<typeof verificationBody>>;

/** Takes a user's form and answers the verification. Throws `USER_NOT_FOUND`, `SUBMIT_REFUSALS`. */
export async function submitForm(
  call: SubmitCall,
  {
    customerId,
    channel,
    location,
  }: {
    readonly customerId: number;
    readonly channel: Verification['channel'];
    /** Where verifications of this user are read one by one; null where that is not possible. */
    readonly location: string | null;
  },
): Promise<Answer> {
  const { services, principal, body } = call;
  const scope = programmeIds(principal);
  // Reading pictures takes long: somebody else's user is refused before, and no row is held meanwhile.
  await call.atomically((trx) => readCustomer(trx, scope, customerId));
  const pictures = await readPictures(body);
  const stored: StoredPicture[] = [];
  try {
    return await call.once(async (trx) => {
      const customer = await lockCustomer(trx, scope, customerId);
      const programme = programmeOf(principal, customer.programmeId);
      const form = formFrom(body, channel, customer);
      await refuseSubmission(trx, customer);
      refuseForm(trx, programme, form);
      if (pictures instanceof Refusal) throw pictures;
      for (const picture of pictures) stored.push(await store(services, customer, picture));
      const submitted = { programme, customer, form, pictures: stored, channel };
      const verification = await submit(trx, services, submitted);
      return {
        status: 201,
        body: toVerificationAnswer(verification),
        ...(location === null ? {} : { location: `${location}/${verification.verificationId}` }),
      };
    });
  } catch (error) {
    // Only a refusal is sure to have left no row behind; after a broken connection the files may be needed.
    if (error instanceof Refusal) {
      for (const picture of stored) await removeDocument(services.documents, picture.storeKey);
    }
    throw error;
  }
}

/**
 * The form as it is kept. How risky somebody is is not for them to say (onboarding 5), and no form takes back what is
 * known of its customer already: a reviewer sees it, and may.
 */
function formFrom(
  body: z.output<typeof verificationBody>,
  channel: Verification['channel'],
  customer: Customer,
): VerificationForm {
  const form = toForm(body);
  const said = channel === 'CUSTOMER' ? { ...form, riskLevel: customer.riskLevel } : form;
  return { ...said, ...joinMarks(said, customer) };
}

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
  readonly channel: Verification['channel'];
  readonly programme: Programme;
  readonly customer: Customer;
  readonly form: VerificationForm;
  readonly pictures: readonly StoredPicture[];
}

async function submit(
  trx: Trx,
  { vault }: Services,
  { programme, customer, form, pictures, channel }: Submitted,
): Promise<Verification> {
  const verificationId = newId(trx);
  return await submitVerification(trx, programme, customer, {
    verificationId,
    ...sealForm(vault, customer, verificationId, form),
    channel,
    pictures,
  });
}

/** A form as it is stored: sealed, with what reviewers should look at and what rules read of it. */
export const sealForm = (
  vault: Vault,
  customer: Customer,
  verificationId: string,
  form: VerificationForm,
) => ({
  form: sealPersonal(vault, customer.subjectKey, formPlace(verificationId), form),
  flags: flagsOf(form, openPerson(vault, customer)),
  riskLevel: form.pep ? ('HIGH' as const) : form.riskLevel,
  pep: form.pep,
  documentExpirationDate: form.documentExpirationDate,
});
