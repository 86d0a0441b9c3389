import { nowOf, type Trx } from '../../db/atomically.ts';
import { renewCertificate } from '../../db/certificate-requests.ts';
import {
  listCertificates,
  readCertificate,
  REVOCATION_REASONS,
  revokeCertificate,
} from '../../db/certificates.ts';
import { Refusal } from '../../domain/errors.ts';
import { readCertificateRequest } from '../../vault/certificate-request.ts';
import { requireAuthority } from '../authority-files.ts';
import { signerOf } from '../certificate-issue.ts';
import { readPage } from '../pagination.ts';
import { type PartnerPrincipal, partnerRoute } from '../partner-principal.ts';
import {
  CERTIFICATE_STATES,
  certificateSchema,
  csr,
  issuedSchema,
  toCertificate,
  USUAL_DAYS,
  validityDays,
} from '../schemas/certificate.ts';
import { listOf, page, uuid, word, z } from '../schemas/shared.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'partner', jwe: 'open' } as const;

const list = partnerRoute({
  ...shared,
  operation: 'listCertificates',
  method: 'GET',
  path: '/certificates',
  summary: 'List your client certificates',
  idempotency: 'ignored',
  query: z.strictObject({ ...page, state: word(CERTIFICATE_STATES).optional() }),
  answers: { 200: { description: 'certificates, newest first', schema: listOf(certificateSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, state } = call.query;
    const { reader, partnerId } = call.principal;
    const body = await call.atomically((trx) =>
      readPage(
        call.services.vault,
        { principal: reader, operation: 'listCertificates', filters: { state } },
        { limit, cursor },
        call.services.nowMs(),
        (before, most) => listCertificates(trx, nowOf(trx), { state, partnerId, before, limit: most }),
        (one) => one.certificateId,
        toCertificate,
      ),
    );
    return { status: 200, body };
  },
});

const renew = partnerRoute({
  ...shared,
  operation: 'renewCertificate',
  method: 'POST',
  path: '/certificates',
  summary: 'Renew the calling certificate: a new one for a new key, ACTIVE at once',
  description:
    'It has the label, scopes and programmes of the calling one. Both are good until one is revoked; at most two of a label.',
  idempotency: 'accepted',
  body: z.strictObject({ csr: csr(), validityDays: validityDays().nullish() }),
  answers: { 201: { description: 'ACTIVE, with the certificate and its chain', schema: issuedSchema } },
  refusals: [
    'CSR_INVALID',
    'CSR_KEY_REJECTED',
    'CSR_SUBJECT_REJECTED',
    'CSR_KEY_REUSED',
    'CERTIFICATE_LIMIT',
    'SERVICE_UNAVAILABLE',
  ],
  handle: async (call) => {
    const { body, principal } = call;
    const authority = requireAuthority(call.services);
    return await call.once(async (trx) => {
      const facts = await readCertificateRequest(body.csr, principal.partnerPublicId);
      const { certificateId, certificatePem } = await renewCertificate(
        trx,
        principal.certificateId,
        { ...facts, validityDays: body.validityDays ?? USUAL_DAYS },
        signerOf(trx, authority),
      );
      const row = await shown(trx, principal, certificateId);
      return { status: 201, body: { ...row, certificatePem, chainPem: authority.chainPem } };
    });
  },
});

const revoke = partnerRoute({
  ...shared,
  operation: 'revokeOwnCertificate',
  method: 'POST',
  path: '/certificates/{certificateId}/revoke',
  summary: 'End another of your certificates: its connections close within five seconds',
  idempotency: 'accepted',
  params: z.strictObject({ certificateId: uuid() }),
  body: z.strictObject({ reason: word(REVOCATION_REASONS) }),
  answers: { 200: { description: 'REVOKED', schema: certificateSchema } },
  refusals: ['CERTIFICATE_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const { certificateId } = call.params;
      await readCertificate(trx, certificateId, call.principal.partnerId);
      if (certificateId === call.principal.certificateId) {
        throw new Refusal('STATE_CONFLICT', 'The certificate of this very call cannot end itself.');
      }
      await revokeCertificate(trx, { certificateId }, call.body.reason);
      return { status: 200, body: await shown(trx, call.principal, certificateId) };
    }),
});

const shown = async (trx: Trx, { partnerId }: PartnerPrincipal, certificateId: string) =>
  toCertificate(await readCertificate(trx, certificateId, partnerId));

export const certificates = [list, renew, revoke];
