import type { Trx } from '../db/atomically.ts';
import type { IssuedFacts, PendingCertificate } from '../db/certificate-requests.ts';
import { readPartner } from '../db/partner-records.ts';
import { type Authority, issueForRequest } from '../vault/certificate-authority.ts';
import { readCertificateRequest } from '../vault/certificate-request.ts';

const NO_PARTNER = { code: 'cardloom', legal_name: 'Cardloom', name: 'Cardloom', public_id: null } as const;

/** How the authority signs a request (channels 9): our names of the partner, of the asked-for subject the place alone. */
export const signerOf =
  (trx: Trx, authority: Authority) =>
  async (pending: PendingCertificate, nowMs: number): Promise<IssuedFacts> => {
    const { partnerId, csrPem, label, validityDays: days } = pending;
    const partner = partnerId === null ? NO_PARTNER : await readPartner(trx, partnerId);
    const { place } = await readCertificateRequest(csrPem, partner.public_id);
    return await issueForRequest(
      authority,
      csrPem,
      {
        commonName: `${partner.code}-${label}`,
        organization: partner.legal_name === '' ? partner.name : partner.legal_name,
        unit: partner.public_id,
        place,
      },
      { days, nowMs },
    );
  };
