import { createHash, createPublicKey } from 'node:crypto';
import type { App } from '../http.ts';
import { createApp } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import { createAnswerOnce } from './answer-once.ts';
import { mountCardCalls } from './card-calls.ts';
import { mountFileCalls } from './file-calls.ts';
import { mountDisturbed } from './disturbed-app.ts';

const KEY_LIFE_MS = 365 * 24 * 3_600_000;

/** The contract side: `/v1/...` for the platform (spec 2), behind a required client certificate. */
export function createContractApp(simulation: Simulation): App {
  const inner = createApp(simulation.logger);
  const spki = createPublicKey(simulation.ownKey).export({ type: 'spki', format: 'pem' }).toString();
  const kid = createHash('sha256').update(spki).digest('hex').slice(0, 16);

  inner.get('/v1/health', (c) => c.json({ status: 'UP' }));
  inner.get('/v1/public-key', (c) => {
    c.header('cache-control', 'max-age=3600');
    return c.json({
      publicKey: Buffer.from(spki).toString('base64'),
      kid,
      alg: 'RSA-OAEP-256',
      enc: 'A256GCM',
      validUntil: new Date(simulation.now().getTime() + KEY_LIFE_MS).toISOString(),
    });
  });
  mountFileCalls(inner, simulation);
  mountCardCalls(inner, simulation, createAnswerOnce(simulation.answers));

  const outer = createApp(simulation.logger);
  mountDisturbed(outer, inner, simulation);
  return outer;
}
