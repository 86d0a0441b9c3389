import type { RegisteredCertificate } from '../db/partners.ts';
import { Refusal } from '../domain/errors.ts';
import { type Rated, rateOf } from '../domain/rate-limit.ts';
import { isAllowedAddress } from './address-list.ts';
import type { Arrival, Identified } from './channel.ts';
import {
  partnerCaller,
  processorCaller,
  processorOf,
  requireCertificate,
} from './middleware/client-certificate.ts';
import type { PartnerPrincipal, ProcessorPrincipal, SponsorPrincipal } from './partner-principal.ts';
import type { Services } from './services.ts';

/** Knows a partner by its certificate; programmes are settled by `admitPartner`. Throws 401. */
export async function identifyPartner(
  services: Services,
  arrival: Arrival,
): Promise<Identified<PartnerPrincipal>> {
  const certificate = await requireCertificate(services, arrival);
  const { partner } = certificate;
  const id = partner?.publicId ?? certificate.certificateId;
  return {
    principal: {
      kind: 'partner',
      partnerId: partner?.partnerId ?? 0,
      partnerPublicId: id,
      reader: id,
      partnerCode: partner?.code ?? '',
      certificateId: certificate.certificateId,
      scopes: certificate.scopes,
      pinnedPublicKeys: partner?.pinnedPublicKeys ?? [],
      programme: null,
      programmes: [],
    },
    caller: partnerCaller(certificate, arrival),
    partnerId: partner?.partnerId ?? null,
    scopes: certificate.scopes,
    pinnedPublicKeys: partner?.pinnedPublicKeys ?? [],
    idempotencyScope: `partner:${id}`,
    rated: ratedBy(certificate),
  };
}

/**
 * Suspension and address, where a certificate speaks for a partner at all (channels 9). Throws
 * `PARTNER_SUSPENDED`, `IP_NOT_ALLOWED`.
 */
export async function admitCertificate<Principal>(
  services: Services,
  arrival: Arrival,
  known: Identified<Principal>,
): Promise<Identified<Principal>> {
  const { partner } = await requireCertificate(services, arrival);
  if (partner !== null) refusePartner(partner, arrival.ip);
  return known;
}

function refusePartner(partner: NonNullable<RegisteredCertificate['partner']>, ip: string | null): void {
  if (partner.state !== 'ACTIVE') throw new Refusal('PARTNER_SUSPENDED', 'This partner is suspended.');
  if (!isAllowedAddress(partner.ipAllowList, ip)) {
    throw new Refusal('IP_NOT_ALLOWED', 'Calls from this address are not allowed.');
  }
}

/**
 * Suspension, address and programme of a partner's call (channels 9, 10). `required`: the channel cannot work
 * without `Issuer-Code`. Throws `PARTNER_SUSPENDED`, `IP_NOT_ALLOWED`, `ISSUER_CODE_REQUIRED`,
 * `ISSUER_CODE_NOT_ALLOWED`, `FORBIDDEN`.
 */
export async function admitPartner(
  services: Services,
  arrival: Arrival,
  known: Identified<PartnerPrincipal>,
  issuerCodeRule: 'required' | 'optional',
): Promise<Identified<PartnerPrincipal>> {
  const certificate = await requireCertificate(services, arrival);
  const { partner } = certificate;
  if (partner === null) throw new Refusal('FORBIDDEN', 'This certificate does not speak for a partner.');
  refusePartner(partner, arrival.ip);
  const issuerCode = arrival.header('issuer-code');
  if (issuerCode === null && issuerCodeRule === 'required') {
    throw new Refusal('ISSUER_CODE_REQUIRED', 'Send the Issuer-Code header.');
  }
  const all = await services.certificates.programmes(partner.partnerId);
  const allowed = all.filter(
    (one) => certificate.programmes.length === 0 || certificate.programmes.includes(one.issuerCode),
  );
  const programme =
    issuerCode === null ? null : (allowed.find((one) => one.issuerCode === issuerCode) ?? undefined);
  if (programme === undefined) {
    throw new Refusal(
      'ISSUER_CODE_NOT_ALLOWED',
      'This Issuer-Code is unknown or not open to this certificate.',
    );
  }
  if (allowed.length === 0) throw new Refusal('FORBIDDEN', 'This certificate is open to no programme.');
  return {
    ...known,
    principal: { ...known.principal, programme, programmes: programme === null ? allowed : [programme] },
    idempotencyScope: `${known.idempotencyScope}:${programme?.issuerCode ?? ''}`,
  };
}

/** All certificates of a partner share what it is allowed; one of no partner has what a partner has by default. */
const ratedBy = ({ partner, certificateId }: RegisteredCertificate): Rated =>
  partner === null
    ? rateOf.partner(certificateId, DEFAULT_PARTNER_RATE)
    : rateOf.partner(partner.publicId, partner.rate);

const DEFAULT_PARTNER_RATE = 100;

/** Knows the processor by its certificate. Throws 401. */
export async function identifyProcessor(
  services: Services,
  arrival: Arrival,
): Promise<Identified<ProcessorPrincipal>> {
  const certificate = await requireCertificate(services, arrival, processorCaller);
  const processor = processorOf(certificate);
  return {
    principal: {
      kind: 'processor',
      processor,
      certificateId: certificate.certificateId,
      scopes: certificate.scopes,
    },
    // Cards of all partners: the engine acts, whoever the certificate belongs to.
    caller: { ...processorCaller(certificate, arrival), partnerId: null },
    partnerId: certificate.partner?.partnerId ?? null,
    scopes: certificate.scopes,
    pinnedPublicKeys: [],
    idempotencyScope: `processor:${processor}`,
    // Authorizations are bounded by how many run at once, not by how many come (channels 14).
    rated: null,
  };
}

/** Knows a BIN sponsor or a bank's system by its certificate. Throws 401. */
export async function identifySponsor(
  services: Services,
  arrival: Arrival,
): Promise<Identified<SponsorPrincipal>> {
  const certificate = await requireCertificate(services, arrival);
  const { partner, label, scopes, programmes } = certificate;
  const partnerId = partner?.partnerId ?? null;
  return {
    principal: { kind: 'sponsor', scopes, partnerId, programmes },
    // The balance may be of any partner: the engine acts, and what is posted is written to that partner's books.
    caller: { ...partnerCaller(certificate, arrival), partnerId: null },
    partnerId,
    scopes,
    pinnedPublicKeys: partner?.pinnedPublicKeys ?? [],
    // The label names a sponsor of no partner, so that a renewed certificate keeps its keys.
    idempotencyScope: `sponsor:${partner?.publicId ?? label}`,
    rated: ratedBy(certificate),
  };
}
