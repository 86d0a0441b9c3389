import type { Arrival, Identified } from './channel.ts';
import type { NobodyPrincipal } from './partner-principal.ts';
import type { Services } from './services.ts';

/** Callers that no one has to know; `name` is who acts in logs and audit rows. */
export const identifyNobody =
  (name: string) =>
  async (_services: Services, { requestId, ip }: Arrival): Promise<Identified<NobodyPrincipal>> => ({
    principal: { kind: 'nobody' },
    caller: { partnerId: null, actor: { type: 'SYSTEM', id: name }, requestId, ip },
    partnerId: null,
    scopes: [],
    pinnedPublicKeys: [],
    idempotencyScope: name,
    rated: null,
  });
