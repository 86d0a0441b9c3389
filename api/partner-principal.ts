import type { Programme, RegisteredCertificate } from '../db/partners.ts';
import { Refusal } from '../domain/errors.ts';
import type { Reach } from './reach.ts';
import { routesOf } from './route.ts';

export { programmeIds, programmeOf } from './reach.ts';

/** A partner's server, known by its client certificate; the principal of `/secure` and `/lifecycle`. */
export interface PartnerPrincipal extends Reach {
  readonly kind: 'partner';
  readonly partnerPublicId: string;
  readonly partnerCode: string;
  readonly certificateId: string;
  readonly scopes: RegisteredCertificate['scopes'];
  readonly pinnedPublicKeys: readonly string[];
  /** The programme of the `Issuer-Code` header, when one was sent. */
  readonly programme: Programme | null;
  /** The header's programme alone, else all that the certificate allows. */
  readonly programmes: readonly Programme[];
}

/** The processor, known by a certificate with scope `processor`. */
export interface ProcessorPrincipal {
  readonly kind: 'processor';
  readonly processor: string;
  readonly certificateId: string;
  readonly scopes: RegisteredCertificate['scopes'];
}

/** A BIN sponsor or a bank's system, known by its certificate: it books on partner balances. */
export interface SponsorPrincipal {
  readonly kind: 'sponsor';
  readonly scopes: RegisteredCertificate['scopes'];
  /** The only partner whose balances it may name; null = those of every partner. */
  readonly partnerId: number | null;
  /** Issuer codes it is limited to; empty = all. */
  readonly programmes: readonly string[];
}

/** Nobody in particular: what the public listener shows before any sign-in. */
export interface NobodyPrincipal {
  readonly kind: 'nobody';
}

export const partnerRoute = routesOf<PartnerPrincipal>();
export const sponsorRoute = routesOf<SponsorPrincipal>();
export const processorRoute = routesOf<ProcessorPrincipal>();
export const publicRoute = routesOf<NobodyPrincipal>();

/** The programme a call without a named resource works in (channels 10). Throws `ISSUER_CODE_REQUIRED`. */
export function soleProgramme(principal: PartnerPrincipal): Programme {
  const only =
    principal.programme ?? (principal.programmes.length === 1 ? principal.programmes[0] : undefined);
  if (only === undefined) {
    throw new Refusal(
      'ISSUER_CODE_REQUIRED',
      'Send the Issuer-Code header: this certificate serves several programmes.',
    );
  }
  return only;
}
