import { platformPublicKey } from '../vault/platform-key.ts';
import type { RouteDeclaration } from './route.ts';
import { date, z } from './schemas/shared.ts';

const publicKeySchema = z
  .strictObject({
    publicKey: z.string().openapi({ description: 'base64 of the PEM SPKI text' }),
    kid: z.string(),
    alg: z.literal('RSA-OAEP-256'),
    enc: z.literal('A256GCM'),
    validUntil: date(),
  })
  .openapi('PublicKey');

/** The key requests are encrypted to (channels 8); every channel shows it under its own prefix. */
export const publicKeyRoute = (operation: string) =>
  ({
    operation,
    method: 'GET',
    path: '/public-key',
    summary: 'Our public key for encrypted requests',
    role: 'nobody-asked',
    owner: 'none',
    jwe: 'none',
    idempotency: 'ignored',
    answers: { 200: { description: 'the newest key', schema: publicKeySchema } },
    refusals: [],
    handle: async (call) => ({
      status: 200,
      body: platformPublicKey(call.services.vault),
      headers: { 'Cache-Control': 'max-age=3600' },
    }),
  }) satisfies RouteDeclaration<never, z.ZodType, z.ZodType, z.ZodType>;
