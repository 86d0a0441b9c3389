import type { Kysely } from 'kysely';
import { atomically, type Trx } from '../../db/atomically.ts';
import { readCustomer, type StoredSubjectKey } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import {
  formPlace,
  noteProvider,
  picturesOf,
  readVerification,
  type Verification,
} from '../../db/verifications.ts';
import type { PictureKind, VerificationForm } from '../../domain/verification.ts';
import { type DocumentStore, readDocument } from '../../vault/document-store.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import { type CheckResult, providerCaller, type ProviderStep, resultOf, settle } from './answers.ts';
import type { KycProviderClient } from './client.ts';

export interface KycProviderCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly vault: Vault;
  readonly documents: DocumentStore;
  /** By provider code. */
  readonly clients: ReadonlyMap<string, KycProviderClient>;
  /** Where providers reach us, without the path: `https://api.example.com`. */
  readonly callbackBaseUrl: string;
}

interface Of {
  readonly verificationId: string;
}

/** Talking to the provider about one verification (onboarding 6.2, steps 2 and 3); one call an activity. */
export function createKycProviderActivities(collaborators: KycProviderCollaborators) {
  const { db, vault, documents, clients, callbackBaseUrl } = collaborators;
  const read = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(db, providerCaller(), work);
  const load = async ({ verificationId }: Of) => {
    const verification = await read((trx) => readVerification(trx, 'every', { verificationId }));
    return { verification, client: clients.get(verification.providerCode ?? '') };
  };

  return {
    /** Makes the person known to the provider and keeps the provider's id. */
    async createApplicant(of: Of): Promise<ProviderStep> {
      const { verification, client } = await load(of);
      if (client === undefined) return 'REFUSED';
      const { subjectKey } = await read((trx) => readCustomer(trx, 'every', verification.customerId));
      const applicant = toApplicant(verification, openForm(vault, subjectKey, verification));
      const answer = await client.createApplicant(keyOf(of, 'create-applicant'), applicant);
      return await settle(answer, ({ applicantId }) =>
        read((trx) => noteProvider(trx, of.verificationId, { applicantId })),
      );
    },

    /** Sends one picture; kinds that the form does not have are done already. */
    async uploadDocument(of: Of & { readonly kind: PictureKind }): Promise<ProviderStep> {
      const { verification, client } = await load(of);
      if (client === undefined || verification.applicantId === null) return 'REFUSED';
      const pictures = await read((trx) => picturesOf(trx, of.verificationId));
      const picture = pictures.find((one) => one.kind === of.kind);
      if (picture === undefined) return 'DONE';
      const { subjectKey } = await read((trx) => readCustomer(trx, 'every', verification.customerId));
      const content = await readDocument(vault, documents, { subjectKey, key: picture.storeKey });
      const answer = await client.uploadDocument(keyOf(of, `upload-${of.kind.toLowerCase()}`), {
        applicantId: verification.applicantId,
        kind: of.kind,
        mediaType: picture.mediaType,
        content,
      });
      return await settle(answer, async () => undefined);
    },

    /** Orders the check and keeps its id. */
    async startCheck(of: Of): Promise<ProviderStep> {
      const { verification, client } = await load(of);
      if (client === undefined || verification.applicantId === null) return 'REFUSED';
      const answer = await client.startCheck(keyOf(of, 'start-check'), {
        applicantId: verification.applicantId,
        callbackUrl: `${callbackBaseUrl}/webhooks/kyc/${verification.providerCode}`,
      });
      return await settle(answer, ({ checkId }) =>
        read((trx) => noteProvider(trx, of.verificationId, { checkId })),
      );
    },

    /** Asks for the result: the only word of the provider that counts. */
    async fetchCheck(of: Of): Promise<CheckResult> {
      const { verification, client } = await load(of);
      if (client === undefined || verification.checkId === null) return { kind: 'REFUSED' };
      const result = resultOf(await client.fetchCheck(verification.checkId));
      if (result.kind === 'COMPLETED') {
        const { outcome, reasons } = result;
        await read((trx) => noteProvider(trx, of.verificationId, { outcome, reasons }));
      }
      return result;
    },
  };
}

const keyOf = ({ verificationId }: Of, step: string): string =>
  `customer-verification:${verificationId}:${step}`;

const openForm = (vault: Vault, subjectKey: StoredSubjectKey, verification: Verification): VerificationForm =>
  openPersonal<VerificationForm>(
    vault,
    subjectKey,
    formPlace(verification.verificationId),
    verification.form,
  );

const toApplicant = ({ verificationId }: Verification, form: VerificationForm) => ({
  externalId: verificationId,
  firstName: form.firstName,
  lastName: form.lastName,
  birthDate: form.birthDate,
  nationality: form.nationality,
  ...(form.pesel === null ? {} : { pesel: form.pesel }),
  address: {
    street: form.street,
    number: form.number,
    ...(form.apartment === null ? {} : { apartment: form.apartment }),
    city: form.city,
    postCode: form.postCode,
    country: form.country,
  },
  documentType: form.documentType,
  identityCardNo: form.identityCardNo,
  documentExpirationDate: form.documentExpirationDate,
});
