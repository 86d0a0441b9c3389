import { lockKybApplication, readKybApplication } from '../../db/kyb-applications.ts';
import type { ProgrammeScope } from '../../db/customers.ts';
import { removeKybDocument } from '../../db/kyb-documents.ts';
import type { Trx } from '../../db/atomically.ts';
import { invalid, type RefusalCode } from '../../domain/errors.ts';
import { documentFaults } from '../../domain/kyb-document.ts';
import { removeDocument } from '../../vault/document-store.ts';
import type { Answer, OwnerRule, RoleRule, Route, routesOf } from '../route.ts';
import { documentBody, kybApplicationSchema, uploadedSchema } from '../schemas/kyb.ts';
import { businessBody, contactBody, entityBody, personsBody } from '../schemas/kyb-sections.ts';
import { uuid, z } from '../schemas/shared.ts';
import type { Services } from '../services.ts';
import { kybAnswer } from './answer.ts';
import { changeSection, type SentSection } from './change-section.ts';
import { submitKyb } from './submit.ts';
import { uploadDocument } from './upload.ts';

/** How one channel shows the form: its routes, and which applications its principal may see. */
export interface KybFormChannel<Principal> {
  readonly route: ReturnType<typeof routesOf<Principal>>;
  /** Stands before the names of the operations: two channels have the same calls. */
  readonly prefix: '' | 'secure' | 'admin';
  /** Below the channel's own prefix. */
  readonly path: string;
  readonly role: RoleRule;
  readonly owner: OwnerRule;
  /** True where a read of the channel's own shows more. */
  readonly ownRead?: boolean;
  /** Programmes, and the only application where a token opens no more than one. */
  sees(principal: Principal): { readonly scope: ProgrammeScope; readonly applicationId?: string };
}

const FILE_BODY_BYTES = 11_000_000;
const ofApplication = z.strictObject({ applicationId: uuid() });
const answered = { 200: { description: 'the application', schema: kybApplicationSchema } } as const;

interface Applied<Principal> {
  readonly principal: Principal;
  readonly params: { readonly applicationId: string };
  readonly services: Services;
  once(work: (trx: Trx) => Promise<Answer>): Promise<Answer>;
}

/**
 * The calls of the form that every channel has alike (onboarding 8.4): read, four sections, documents, submit.
 * An application outside of what the principal sees answers as a missing one.
 */
export function kybFormRoutes<Principal>(channel: KybFormChannel<Principal>): Route[] {
  const { route, role, owner } = channel;
  const path = `${channel.path}/{applicationId}`;
  const shared = { role, owner, jwe: 'open', params: ofApplication } as const;
  const name = (verb: string, noun: string) =>
    channel.prefix === '' ? `${verb}${noun}` : `${channel.prefix}${capital(verb)}${noun}`;

  const read = (trx: Trx, call: Applied<Principal>) => find(readKybApplication, trx, call);
  const hold = (trx: Trx, call: Applied<Principal>) => find(lockKybApplication, trx, call);

  async function find(
    get: typeof readKybApplication,
    trx: Trx,
    { principal, params }: Applied<Principal>,
  ): ReturnType<typeof readKybApplication> {
    const { scope, applicationId } = channel.sees(principal);
    const other = applicationId !== undefined && applicationId !== params.applicationId;
    return await get(trx, other ? [] : scope, params.applicationId);
  }

  async function change(call: Applied<Principal>, sent: SentSection): Promise<Answer> {
    const { vault, documents } = call.services;
    let orphans: readonly string[] = [];
    const answer = await call.once(async (trx) => {
      const application = await hold(trx, call);
      orphans = await changeSection(trx, vault, application, sent);
      return { status: 200, body: await kybAnswer(trx, vault, await read(trx, call)) };
    });
    for (const key of orphans) await removeDocument(documents, key);
    return answer;
  }

  const putSection = {
    ...shared,
    method: 'PUT',
    idempotency: 'accepted',
    answers: answered,
    refusals: ['APPLICATION_NOT_FOUND', 'STATE_CONFLICT'] as readonly RefusalCode[],
  } as const;

  const readRoute = route({
    ...shared,
    operation: name('read', 'KybApplication'),
    method: 'GET',
    path,
    summary: 'Read an application with its sections, comments and documents',
    idempotency: 'ignored',
    answers: answered,
    refusals: ['APPLICATION_NOT_FOUND'],
    handle: async (call) => ({
      status: 200,
      body: await call.atomically(async (trx) => kybAnswer(trx, call.services.vault, await read(trx, call))),
    }),
  });

  return [
    ...(channel.ownRead === true ? [] : [readRoute]),
    route({
      ...putSection,
      operation: name('put', 'KybContact'),
      path: `${path}/sections/CONTACT`,
      summary: 'Change who is spoken with (step 1)',
      body: contactBody,
      handle: (call) => change(call, { section: 'CONTACT', fields: call.body }),
    }),
    route({
      ...putSection,
      operation: name('put', 'KybEntity'),
      path: `${path}/sections/ENTITY`,
      summary: 'Fill in the company (step 2)',
      body: entityBody,
      handle: (call) => change(call, { section: 'ENTITY', fields: call.body }),
    }),
    route({
      ...putSection,
      operation: name('put', 'KybBusiness'),
      path: `${path}/sections/BUSINESS`,
      summary: 'Fill in what the company does (step 3)',
      body: businessBody,
      handle: (call) => change(call, { section: 'BUSINESS', fields: call.body }),
    }),
    route({
      ...putSection,
      operation: name('put', 'KybPersons'),
      path: `${path}/sections/PERSONS`,
      summary: 'Name representatives, owners and managers (step 4)',
      description:
        'All persons, in order. One that is kept is sent with its `personId`, so that its documents stay.',
      body: personsBody,
      handle: (call) => change(call, { section: 'PERSONS', fields: call.body }),
    }),
    route({
      ...shared,
      operation: name('add', 'KybDocument'),
      method: 'POST',
      path: `${path}/documents`,
      summary: 'Upload a document (step 5)',
      idempotency: 'accepted',
      contentType: 'multipart/form-data',
      maxBodyBytes: FILE_BODY_BYTES,
      body: documentBody,
      answers: { 201: { description: 'the document', schema: uploadedSchema } },
      refusals: [
        'APPLICATION_NOT_FOUND',
        'STATE_CONFLICT',
        'PAYLOAD_TOO_LARGE',
        'UNSUPPORTED_MEDIA_TYPE',
        'DOCUMENT_UNREADABLE',
        'TOO_MANY_DOCUMENTS',
      ],
      handle: async (call) => {
        const { type, personId = null, documentType = null, file } = call.body;
        const mark = { type, personId, documentType };
        const faults = documentFaults(mark);
        if (faults.length > 0) throw invalid(faults);
        // Reading a file takes long: somebody else's application is refused before, and no row is held meanwhile.
        await call.atomically((trx) => read(trx, call));
        return await uploadDocument(call.services, { mark, file }, call.once, (trx) => hold(trx, call));
      },
    }),
    route({
      ...shared,
      operation: name('remove', 'KybDocument'),
      method: 'DELETE',
      path: `${path}/documents/{documentId}`,
      summary: 'Remove a document',
      idempotency: 'accepted',
      params: z.strictObject({ applicationId: uuid(), documentId: uuid() }),
      answers: { 204: { description: 'removed' } },
      refusals: ['APPLICATION_NOT_FOUND', 'DOCUMENT_NOT_FOUND', 'STATE_CONFLICT'],
      handle: async (call) => {
        let storeKey: string | null = null;
        const answer = await call.once(async (trx) => {
          const application = await hold(trx, call);
          storeKey = await removeKybDocument(trx, application, call.params.documentId);
          return { status: 204 };
        });
        if (storeKey !== null) await removeDocument(call.services.documents, storeKey);
        return answer;
      },
    }),
    route({
      ...shared,
      operation: name('submit', 'KybApplication'),
      method: 'POST',
      path: `${path}/submit`,
      summary: 'Send the application in, or in again after a correction',
      idempotency: 'accepted',
      answers: { 202: { description: 'the application', schema: kybApplicationSchema } },
      refusals: ['APPLICATION_NOT_FOUND', 'STATE_CONFLICT', 'APPLICATION_INCOMPLETE', 'OWNERSHIP_INVALID'],
      handle: (call) =>
        call.once(async (trx) => {
          const { vault } = call.services;
          await submitKyb(trx, vault, await hold(trx, call));
          return { status: 202, body: await kybAnswer(trx, vault, await read(trx, call)) };
        }),
    }),
  ];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
