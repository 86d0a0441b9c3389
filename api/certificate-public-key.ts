import { admitCertificate, identifyPartner } from './certificate-channels.ts';
import { channel } from './channel.ts';
import { type PartnerPrincipal, partnerRoute } from './partner-principal.ts';
import { publicKeyRoute } from './public-key.ts';

/** `GET /public-key` on the certificate listener and under its prefixes: no `Issuer-Code`, no scope. */
export const publicKeyChannels = [
  { prefix: '', operation: 'certificatePublicKey' },
  { prefix: '/secure', operation: 'securePublicKey' },
  { prefix: '/lifecycle/v1', operation: 'lifecyclePublicKey' },
].map(({ prefix, operation }) =>
  channel<PartnerPrincipal>({
    name: 'secure',
    prefix,
    identify: identifyPartner,
    admit: admitCertificate,
    routes: [partnerRoute(publicKeyRoute(operation))],
  }),
);
