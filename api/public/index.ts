import { channel } from '../channel.ts';
import { identifyNobody } from '../nobody.ts';
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
  identify: identifyNobody('public'),
  admit: async (_services, _arrival, known) => known,
  routes: [...health, ...kycWebhooks, ...kybLinks, publicRoute(publicKeyRoute('publicKey'))],
});
