import { atomically, type Trx } from '../../db/atomically.ts';
import { type KybApplication, kybPersonPlace, readKybApplication } from '../../db/kyb-applications.ts';
import { kybPersons } from '../../db/kyb-form.ts';
import {
  beginPersonCheck as begin,
  endPersonCheck as end,
  findPersonCheck,
  notePersonCheck,
  type PersonCheck,
  type PersonCheckKey,
  personPictures,
} from '../../db/kyb-person-checks.ts';
import type { KybPerson } from '../../domain/kyb-form.ts';
import type { DocumentType, PictureKind } from '../../domain/verification.ts';
import { readDocument } from '../../vault/document-store.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import { type CheckResult, providerCaller, type ProviderStep, resultOf, settle } from './answers.ts';
import type { Applicant } from './schemas.ts';
import type { KycProviderCollaborators } from './verifications.ts';

/** Where a check belongs; ids only. */
export interface PersonCheckOwner {
  readonly partnerId: number;
  readonly programmeId: number;
}

type Completed = Extract<CheckResult, { kind: 'COMPLETED' }>;

/** Talking to the provider about a person of a company's application (onboarding 8.5, step 3); one call an activity. */
export function createPersonCheckActivities(collaborators: KycProviderCollaborators) {
  const { db, vault, documents, clients, callbackBaseUrl } = collaborators;
  const inOneCommit = <T>(work: (trx: Trx) => Promise<T>): Promise<T> =>
    atomically(db, providerCaller(), work);

  /** Null when the person was taken off the form, or no such provider is configured. */
  const load = async (key: PersonCheckKey) =>
    await inOneCommit(async (trx) => {
      const check = await findPersonCheck(trx, key);
      const client = clients.get(check?.providerCode ?? '');
      if (check === undefined || client === undefined) return null;
      return { check, client, application: await readKybApplication(trx, 'every', check.applicationId) };
    });

  const openPerson = async (trx: Trx, application: KybApplication, { personId }: PersonCheckKey) => {
    const stored = (await kybPersons(trx, application.applicationId)).find(
      (one) => one.personId === personId,
    );
    if (stored === undefined) return null;
    return openPersonal<KybPerson>(vault, application.subjectKey, kybPersonPlace(personId), stored.personal);
  };

  return {
    /** Begins the check of one round, once. */
    async beginPersonCheck(
      of: PersonCheckKey & { readonly applicationId: string },
    ): Promise<PersonCheckOwner> {
      const { applicationId, personId, round } = of;
      return await inOneCommit(async (trx) => {
        const application = await readKybApplication(trx, 'every', applicationId);
        await begin(trx, application, { personId, round });
        return { partnerId: application.partnerId, programmeId: application.programmeId };
      });
    },

    /** Makes the person known to the provider and keeps the provider's id. */
    async createPersonApplicant(key: PersonCheckKey): Promise<ProviderStep> {
      const loaded = await load(key);
      if (loaded === null) return 'REFUSED';
      const { application, client, check } = loaded;
      const applicant = await inOneCommit(async (trx) => {
        const person = await openPerson(trx, application, key);
        const pictures = await personPictures(trx, application.applicationId, key.personId);
        const documentType = pictures.find((one) => one.kind === 'FRONT')?.document.documentType;
        return person === null ? null : toApplicant(person, documentType ?? null);
      });
      if (applicant === null) return 'REFUSED';
      const answer = await client.createApplicant(keyOf(check, 'create-applicant'), applicant);
      return await settle(answer, ({ applicantId }) =>
        inOneCommit((trx) => notePersonCheck(trx, key, { applicantId })),
      );
    },

    /** Sends one picture; a kind that there is none of is done already. */
    async uploadPersonDocument(of: PersonCheckKey & { readonly kind: PictureKind }): Promise<ProviderStep> {
      const loaded = await load(of);
      if (loaded === null || loaded.check.applicantId === null) return 'REFUSED';
      const { application, client, check } = loaded;
      const pictures = await inOneCommit((trx) =>
        personPictures(trx, application.applicationId, of.personId),
      );
      const document = pictures.find((one) => one.kind === of.kind)?.document;
      if (document === undefined) return 'DONE';
      const { subjectKey } = application;
      const content = await readDocument(vault, documents, { subjectKey, key: document.storeKey });
      const answer = await client.uploadDocument(keyOf(check, `upload-${of.kind.toLowerCase()}`), {
        applicantId: loaded.check.applicantId,
        kind: of.kind,
        mediaType: document.mediaType,
        content,
      });
      return await settle(answer, async () => undefined);
    },

    /** Orders the check and keeps its id. */
    async startPersonCheck(key: PersonCheckKey): Promise<ProviderStep> {
      const loaded = await load(key);
      if (loaded === null || loaded.check.applicantId === null) return 'REFUSED';
      const { client, check } = loaded;
      const answer = await client.startCheck(keyOf(check, 'start-check'), {
        applicantId: loaded.check.applicantId,
        callbackUrl: `${callbackBaseUrl}/webhooks/kyc/${check.providerCode}`,
      });
      return await settle(answer, ({ checkId }) =>
        inOneCommit((trx) => notePersonCheck(trx, key, { checkId })),
      );
    },

    /** Asks for the result: the only word of the provider that counts. */
    async fetchPersonCheck(key: PersonCheckKey): Promise<CheckResult> {
      const loaded = await load(key);
      if (loaded === null || loaded.check.checkId === null) return { kind: 'REFUSED' };
      return resultOf(await loaded.client.fetchCheck(loaded.check.checkId));
    },

    /** Stores what came of it, for the reviewer; null: nothing in time. */
    async endPersonCheck(of: PersonCheckKey & { readonly result: Completed | null }): Promise<void> {
      await inOneCommit((trx) => end(trx, of, of.result));
    },
  };
}

const keyOf = ({ personId, round }: PersonCheck, step: string): string =>
  `person-verification:${personId}:${round}:${step}`;

const PESEL = /^[0-9]{11}$/;

/** Null for a person whose form lacks what the provider must know; a submitted form lacks nothing. */
function toApplicant(person: KybPerson, documentType: DocumentType | null): Applicant | null {
  const { personId, firstName, lastName, birthDate, nationality, nationalId, address } = person;
  if (firstName === null || lastName === null || birthDate === null || nationality === null) return null;
  if (address === null || documentType === null) return null;
  return {
    externalId: personId,
    firstName,
    lastName,
    birthDate,
    nationality,
    ...(nationalId !== null && PESEL.test(nationalId) ? { pesel: nationalId } : {}),
    address: {
      street: address.street,
      number: address.number,
      ...(address.apartment === null ? {} : { apartment: address.apartment }),
      city: address.city,
      postCode: address.postCode,
      country: address.country,
    },
    documentType,
  };
}
