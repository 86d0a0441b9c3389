import { channel } from '../channel.ts';
import { type NobodyPrincipal, publicRoute } from '../partner-principal.ts';
import { publicKeyRoute } from '../public-key.ts';
import { health } from './health.ts';
import { kybLinks } from './kyb.ts';
import { kycWebhooks } from './kyc-webhooks.ts';

/** What the public listener shows before anybody signs in. */
export const publicChannel = channel<NobodyPrincipal>({
  name: 'public',
  prefix: '',
  anonymous: true,
  identify: async (_services, arrival) => ({
    principal: { kind: 'nobody' },
    caller: {
      partnerId: null,
      actor: { type: 'SYSTEM', id: 'public' },
      requestId: arrival.requestId,
      ip: arrival.ip,
    },
    partnerId: null,
    scopes: [],
    pinnedPublicKeys: [],
    idempotencyScope: 'public',
    rated: null,
  }),
  admit: async (_services, _arrival, known) => known,
  routes: [...health, ...kycWebhooks, ...kybLinks, publicRoute(publicKeyRoute('publicKey'))],
});
