import { createHmac, timingSafeEqual } from 'node:crypto';
import { takeProviderEvent } from '../../db/provider-events.ts';
import { Refusal } from '../../domain/errors.ts';
import { isUuid } from '../../domain/ids.ts';
import { rateOf } from '../../domain/rate-limit.ts';
import { publicRoute } from '../partner-principal.ts';
import { z } from '../schemas/shared.ts';
import { kycEventBody } from '../schemas/verification.ts';

const MOST_BYTES = 16 * 1024;
const CLOCK_TOLERANCE_SECONDS = 300;

const takeEvent = publicRoute({
  operation: 'takeKycEvent',
  method: 'POST',
  path: '/webhooks/kyc/{providerCode}',
  summary: 'A KYC provider reports that a check has ended',
  description: 'Signed with `X-Signature: t=<unix seconds>,v1=<hex HMAC-SHA-256(secret, t + "." + body)>`.',
  role: 'nobody-asked',
  owner: 'none',
  jwe: 'none',
  idempotency: 'ignored',
  maxBodyBytes: MOST_BYTES,
  params: z.strictObject({ providerCode: z.string().max(64) }),
  body: kycEventBody,
  answers: { 204: { description: 'taken, known already, or of no interest' } },
  refusals: ['UNAUTHENTICATED', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE'],
  authenticate: ({ services, param, header, raw }) => {
    const provider = services.kycProviders.find((one) => one.code === param('providerCode'));
    if (provider === undefined) throw new Refusal('NOT_FOUND', 'There is no such route.');
    const nowSeconds = Math.floor(services.nowMs() / 1000);
    if (!isSigned(header('x-signature'), raw, provider.webhookSecrets, nowSeconds)) {
      throw new Refusal('UNAUTHENTICATED', 'The signature is missing, wrong or too old.');
    }
    return rateOf.provider(provider.code);
  },
  handle: async (call) => {
    const { providerCode } = call.params;
    const { eventId, checkId } = call.body;
    const externalId = call.body.externalId.toLowerCase();
    if (isUuid(externalId)) {
      await call.atomically((trx) => takeProviderEvent(trx, { providerCode, eventId, checkId, externalId }));
    }
    return { status: 204 };
  },
});

export const kycWebhooks = [takeEvent];

/** True when one of the live secrets made the signature, by a clock that agrees with ours (onboarding 9.2). */
export function isSigned(
  header: string | null,
  body: Uint8Array,
  secrets: readonly string[],
  nowSeconds: number,
): boolean {
  const match = /^t=([0-9]{1,12}),v1=([0-9a-f]{64})$/.exec(header ?? '');
  if (match === null) return false;
  const [, seconds = '', signature = ''] = match;
  if (Math.abs(nowSeconds - Number(seconds)) > CLOCK_TOLERANCE_SECONDS) return false;
  const sent = Buffer.from(signature, 'hex');
  return secrets
    .map((secret) => createHmac('sha256', secret).update(`${seconds}.`).update(body).digest())
    .some((made) => timingSafeEqual(made, sent));
}
