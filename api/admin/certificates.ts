import { settleListed } from '../../db/approvals.ts';
import type { Trx } from '../../db/atomically.ts';
import {
  activateCertificate,
  lockPending,
  type PendingCertificate,
  rejectCertificate,
  requestCertificate,
} from '../../db/certificate-requests.ts';
import {
  listCertificates,
  readCertificate,
  REVOCATION_REASONS,
  revokeCertificate,
} from '../../db/certificates.ts';
import { nowOf } from '../../db/atomically.ts';
import { findPartnerRow, type PartnerRow, readPartner } from '../../db/partner-records.ts';
import { invalid, Refusal } from '../../domain/errors.ts';
import { readCertificateRequest } from '../../vault/certificate-request.ts';
import { requireAuthority } from '../authority-files.ts';
import { signerOf } from '../certificate-issue.ts';
import { adminRoute, type OperatorPrincipal } from '../operator-principal.ts';
import {
  CERTIFICATE_SCOPES,
  CERTIFICATE_STATES,
  certificateLabel,
  certificateSchema,
  csr,
  issuedSchema,
  toCertificate,
  USUAL_DAYS,
  validityDays,
} from '../schemas/certificate.ts';
import { listOf, page, text, uuid, word, z } from '../schemas/shared.ts';
import { keepForSecond } from './four-eyes.ts';
import { operatorPage } from './lists.ts';

const params = z.strictObject({ certificateId: uuid() });
const handling = { permission: 'certificates.handle', jwe: 'open' } as const;
const deciding = {
  permission: 'certificates.decide',
  jwe: 'open',
  idempotency: 'accepted',
  method: 'POST',
  params,
} as const;

const list = adminRoute({
  ...handling,
  operation: 'adminListCertificates',
  method: 'GET',
  path: '/certificates',
  summary: 'List client certificates and requests for them',
  idempotency: 'ignored',
  query: z.strictObject({
    ...page,
    state: word(CERTIFICATE_STATES).optional(),
    partnerId: uuid().optional(),
  }),
  answers: { 200: { description: 'certificates, newest first', schema: listOf(certificateSchema) } },
  refusals: ['INVALID_CURSOR', 'PARTNER_NOT_FOUND'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const { principal } = call;
    const body = await call.atomically(async (trx) => {
      const partnerId =
        filters.partnerId === undefined
          ? (principal.partnerId ?? undefined)
          : (await requirePartner(trx, principal, filters.partnerId)).partner_id;
      return await operatorPage(call, {
        operation: 'adminListCertificates',
        filters,
        page: { limit, cursor },
        read: (before, most) =>
          listCertificates(trx, nowOf(trx), { state: filters.state, partnerId, before, limit: most }),
        positionOf: (one) => one.certificateId,
        toItem: toCertificate,
      });
    });
    return { status: 200, body };
  },
});

const read = adminRoute({
  ...handling,
  operation: 'adminReadCertificate',
  method: 'GET',
  path: '/certificates/{certificateId}',
  summary: 'Read a client certificate of the registry',
  idempotency: 'ignored',
  params,
  answers: { 200: { description: 'the certificate', schema: certificateSchema } },
  refusals: ['CERTIFICATE_NOT_FOUND'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically((trx) => shown(trx, call.principal, call.params.certificateId)),
  }),
});

const request = adminRoute({
  ...handling,
  operation: 'requestCertificate',
  method: 'POST',
  path: '/certificates',
  summary: 'Hand in a PKCS#10 request; another operator decides',
  description: 'Extensions that the request asks for, rights of an authority too, are ignored.',
  idempotency: 'accepted',
  body: z.strictObject({
    csr: csr(),
    label: certificateLabel(),
    scopes: z.array(word(CERTIFICATE_SCOPES), { error: 'must be a list' }).min(1, 'must name at least one'),
    programmes: z.array(text(1, 32)).max(50, 'must be at most 50').nullish(),
    validityDays: validityDays().nullish(),
    partnerId: uuid().nullish(),
  }),
  answers: { 201: { description: 'PENDING', schema: certificateSchema } },
  refusals: [
    'CSR_INVALID',
    'CSR_KEY_REJECTED',
    'CSR_SUBJECT_REJECTED',
    'CSR_KEY_REUSED',
    'PARTNER_NOT_FOUND',
    'ISSUER_CODE_NOT_ALLOWED',
  ],
  handle: async (call) => {
    const { body, principal } = call;
    refuseScopes(principal, body.scopes, body.partnerId ?? null);
    return await call.once(async (trx) => {
      const partner = await partnerOfRequest(trx, principal, body.partnerId ?? null);
      const programmes = body.programmes ?? [];
      refuseProgrammes(principal, partner, programmes);
      const facts = await readCertificateRequest(body.csr, partner?.public_id ?? null);
      const id = await requestCertificate(trx, {
        ...facts,
        partnerId: partner?.partner_id ?? null,
        label: body.label,
        scopes: [...new Set(body.scopes)],
        programmes,
        validityDays: body.validityDays ?? USUAL_DAYS,
        requestedBy: principal.operatorId,
      });
      await keepForSecond(trx, call, {
        kind: 'CERTIFICATE_ISSUE',
        operation: 'requestCertificate',
        subject: { type: 'certificate', id },
        summary: `Issue a certificate ${body.label} of ${partner?.name ?? 'the platform'}`,
        partnerId: partner?.partner_id ?? null,
      });
      return { status: 201, body: await shown(trx, principal, id), location: `/admin/certificates/${id}` };
    });
  },
});

/** Only the platform gives what reaches beyond a partner; `partner` is for a partner alone. */
function refuseScopes(
  { scope }: OperatorPrincipal,
  scopes: readonly string[],
  partnerId: string | null,
): void {
  refuseWideScopes(scope, scopes);
  if (scope === 'PLATFORM' && partnerId === null && scopes.includes('partner')) {
    throw invalid([{ field: 'partnerId', message: 'is required with the scope partner' }]);
  }
}

function refuseWideScopes(scope: OperatorPrincipal['scope'], scopes: readonly string[]): void {
  if (scope === 'PLATFORM' || scopes.every((one) => one === 'partner')) return;
  throw new Refusal('FORBIDDEN', 'Only the platform gives scopes other than partner.');
}

function refuseProgrammes(
  { programmes }: OperatorPrincipal,
  partner: PartnerRow | null,
  issuerCodes: readonly string[],
): void {
  const known = programmes
    .filter((one) => partner === null || one.partnerId === partner.partner_id)
    .map((one) => one.issuerCode);
  if (issuerCodes.every((code) => known.includes(code))) return;
  throw new Refusal('ISSUER_CODE_NOT_ALLOWED', 'A programme named is not one of this partner.');
}

async function partnerOfRequest(
  trx: Trx,
  principal: OperatorPrincipal,
  publicId: string | null,
): Promise<PartnerRow | null> {
  if (publicId !== null) return await requirePartner(trx, principal, publicId);
  return principal.partnerId === null ? null : await readPartner(trx, principal.partnerId);
}

async function requirePartner(
  trx: Trx,
  { partnerId }: OperatorPrincipal,
  publicId: string,
): Promise<PartnerRow> {
  const found = await findPartnerRow(trx, publicId, partnerId);
  if (found === undefined) throw new Refusal('PARTNER_NOT_FOUND', 'There is no such partner.');
  return found;
}

/** Locks a request for the one who decides on it. Throws `SAME_PERSON` for the one who asked (channels 9, 13). */
async function lockToDecide(
  trx: Trx,
  { operatorId, partnerId }: OperatorPrincipal,
  certificateId: string,
): Promise<PendingCertificate> {
  const pending = await lockPending(trx, certificateId, partnerId);
  if (pending.requestedBy !== operatorId) return pending;
  throw new Refusal('SAME_PERSON', 'The second pair of eyes must be another person.');
}

const approve = adminRoute({
  ...deciding,
  operation: 'approveCertificate',
  path: '/certificates/{certificateId}/approve',
  summary: 'Sign a request that another operator handed in',
  stepUp: true,
  answers: { 200: { description: 'ACTIVE, with the certificate and its chain', schema: issuedSchema } },
  refusals: [
    'CERTIFICATE_NOT_FOUND',
    'SAME_PERSON',
    'STATE_CONFLICT',
    'CERTIFICATE_LIMIT',
    'STEP_UP_REQUIRED',
    'SERVICE_UNAVAILABLE',
  ],
  handle: async (call) =>
    await call.once(async (trx) => {
      const { principal } = call;
      const { certificateId } = call.params;
      const pending = await lockToDecide(trx, principal, certificateId);
      refuseWideScopes(principal.scope, pending.scopes);
      const authority = requireAuthority(call.services);
      const { certificatePem } = await activateCertificate(
        trx,
        pending,
        principal.operatorId,
        'certificate.approved',
        signerOf(trx, authority),
      );
      await settleListed(trx, 'CERTIFICATE_ISSUE', certificateId, {
        state: 'APPROVED',
        decidedBy: principal.operatorId,
        comment: null,
      });
      const body = await shown(trx, principal, certificateId);
      return { status: 200, body: { ...body, certificatePem, chainPem: authority.chainPem } };
    }),
});

const reject = adminRoute({
  ...deciding,
  operation: 'rejectCertificate',
  path: '/certificates/{certificateId}/reject',
  summary: 'Refuse a request',
  body: z.strictObject({ reason: text(3, 500) }),
  answers: { 200: { description: 'REJECTED', schema: certificateSchema } },
  refusals: ['CERTIFICATE_NOT_FOUND', 'SAME_PERSON', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const { certificateId } = call.params;
      const pending = await lockToDecide(trx, call.principal, certificateId);
      await rejectCertificate(trx, pending, call.body.reason);
      await settleListed(trx, 'CERTIFICATE_ISSUE', certificateId, {
        state: 'REJECTED',
        decidedBy: call.principal.operatorId,
        comment: call.body.reason,
      });
      return { status: 200, body: await shown(trx, call.principal, certificateId) };
    }),
});

const revoke = adminRoute({
  ...deciding,
  permission: 'certificates.handle',
  operation: 'revokeCertificate',
  path: '/certificates/{certificateId}/revoke',
  summary: 'End a certificate: its connections close within five seconds',
  stepUp: true,
  body: z.strictObject({ reason: word(REVOCATION_REASONS) }),
  answers: { 200: { description: 'REVOKED', schema: certificateSchema } },
  refusals: ['CERTIFICATE_NOT_FOUND', 'STATE_CONFLICT', 'STEP_UP_REQUIRED'],
  handle: (call) =>
    call.once(async (trx) => {
      const { certificateId } = call.params;
      await readCertificate(trx, certificateId, call.principal.partnerId);
      await revokeCertificate(trx, { certificateId }, call.body.reason);
      return { status: 200, body: await shown(trx, call.principal, certificateId) };
    }),
});

const shown = async (trx: Trx, { partnerId }: OperatorPrincipal, certificateId: string) =>
  toCertificate(await readCertificate(trx, certificateId, partnerId));

export const certificates = [list, read, request, approve, reject, revoke];
