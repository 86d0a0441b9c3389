import { setTimeout as sleep } from 'node:timers/promises';
import { addKybToken, findKybToken, requestKybLinks } from '../../db/kyb-tokens.ts';
import { findProgrammeByCode, isPartnerActive } from '../../db/partners.ts';
import { atomically } from '../../db/atomically.ts';
import { Refusal } from '../../domain/errors.ts';
import { rateOf } from '../../domain/rate-limit.ts';
import { emailIndex } from '../personal-data.ts';
import { newToken, tokenHashes } from '../../vault/session-token.ts';
import { type Arrival, channel, type Identified } from '../channel.ts';
import { kybAnswer } from '../kyb/answer.ts';
import { kybFormRoutes } from '../kyb/form-routes.ts';
import { beginKyb } from '../kyb/intake.ts';
import { publicRoute } from '../partner-principal.ts';
import { auditRefusedCall } from '../refused-call.ts';
import { routesOf } from '../route.ts';
import { kybIntakeSchema, resumeLinkBody } from '../schemas/kyb.ts';
import { contactBody } from '../schemas/kyb-sections.ts';
import type { Services } from '../services.ts';
import { type ApplicantPrincipal, type IntakePrincipal } from './kyb-principals.ts';

const ANSWER_MS = 400;

/** A company's contact asks for a fresh link; the answer and its time are the same for everybody. */
const requestLink = publicRoute({
  operation: 'requestKybLink',
  method: 'POST',
  path: '/kyb/resume-links',
  summary: 'Mail a fresh link to every open application of an e-mail address',
  description: 'Answers alike whether there is one or not. Older links of those applications end.',
  role: 'nobody-asked',
  owner: 'none',
  jwe: 'none',
  idempotency: 'accepted',
  body: resumeLinkBody,
  answers: { 202: { description: 'asked for' } },
  refusals: [],
  handle: async (call) => {
    const { vault } = call.services;
    const work = call.atomically((trx) => requestKybLinks(trx, [emailIndex(vault, call.body.email)]));
    await Promise.all([work, sleep(ANSWER_MS)]);
    return { status: 202 };
  },
});

/** Calls of the form that need nothing but the public listener. */
export const kybLinks = [requestLink];

const begin = routesOf<IntakePrincipal>()({
  operation: 'beginKybApplication',
  method: 'POST',
  path: '/applications',
  summary: 'Begin the application of a company (step 1)',
  description:
    'The token opens this application alone, for 14 days; it is told once. A link is mailed as well.',
  role: 'nobody-asked',
  owner: 'programme',
  jwe: 'open',
  idempotency: 'accepted',
  body: contactBody,
  answers: { 201: { description: 'the application and its token', schema: kybIntakeSchema } },
  refusals: ['TOO_MANY_REQUESTS'],
  // Tokens are not kept, not even for repeats: each call is a fresh try (channels 7).
  handle: async (call) => {
    const { vault } = call.services;
    const { programme } = call.principal;
    const { token, hash } = newToken(vault, 'kyb');
    const body = await call.atomically(async (trx) => {
      const step = { contact: call.body, channel: 'PUBLIC', ip: call.ip } as const;
      const application = await beginKyb(trx, vault, programme, step);
      const tokenExpiresAt = await addKybToken(trx, application, hash);
      return {
        ...(await kybAnswer(trx, vault, application)),
        token,
        tokenExpiresAt: tokenExpiresAt.toISOString(),
      };
    });
    return { status: 201, body, location: `/kyb/applications/${body.applicationId}` };
  },
});

/** Step 1 of the public form: nobody is known yet, the programme is named by `Issuer-Code`. */
export const kybIntakeChannel = channel<IntakePrincipal>({
  name: 'public',
  prefix: '/kyb',
  anonymous: true,
  identify: identifyIntake,
  admit: async (_services, _arrival, known) => known,
  routes: [begin],
});

async function identifyIntake(services: Services, arrival: Arrival): Promise<Identified<IntakePrincipal>> {
  const issuerCode = arrival.header('issuer-code');
  if (issuerCode === null) throw new Refusal('ISSUER_CODE_REQUIRED', 'Send the Issuer-Code header.');
  const programme = await findProgrammeByCode(services.engine, issuerCode);
  if (programme === undefined || programme.state !== 'ACTIVE') {
    throw new Refusal('ISSUER_CODE_NOT_ALLOWED', 'This Issuer-Code is unknown.');
  }
  await refuseSuspended(services, programme.partnerId);
  const { partnerId } = programme;
  return {
    principal: { kind: 'intake', programme },
    caller: { partnerId, actor: { type: 'USER', id: 'kyb' }, requestId: arrival.requestId, ip: arrival.ip },
    partnerId,
    scopes: [],
    pinnedPublicKeys: [],
    idempotencyScope: `programme:${programme.issuerCode}`,
    rated: null,
  };
}

/** The form's later calls: a token opens one application and nothing else. */
export const kybChannel = channel<ApplicantPrincipal>({
  name: 'kyb',
  prefix: '/kyb',
  identify: identifyApplicant,
  admit: async (services, _arrival, known) => {
    await refuseSuspended(services, known.principal.partnerId);
    return known;
  },
  permit: () => undefined,
  routes: kybFormRoutes({
    route: routesOf<ApplicantPrincipal>(),
    prefix: '',
    path: '/applications',
    role: { application: 'own' },
    owner: 'application',
    sees: ({ programmeId, applicationId }) => ({ scope: [programmeId], applicationId }),
  }),
});

/** Knows an applicant by their token. Throws `UNAUTHENTICATED`, and `SESSION_EXPIRED` after its 14 days. */
async function identifyApplicant(
  services: Services,
  arrival: Arrival,
): Promise<Identified<ApplicantPrincipal>> {
  const { requestId, ip } = arrival;
  const token = /^Bearer (\S+)$/i.exec(arrival.header('authorization') ?? '')?.[1] ?? '';
  const hashes = tokenHashes(services.vault, 'kyb', token);
  const looking = { partnerId: null, actor: { type: 'SYSTEM', id: 'kyb' }, requestId, ip } as const;
  const found =
    hashes.length === 0
      ? undefined
      : await atomically(services.engine, looking, (trx) => findKybToken(trx, hashes));
  if (found === undefined) throw new Refusal('UNAUTHENTICATED', 'Send the token of your application.');
  const { applicationId, partnerId, programmeId } = found.application;
  const caller = { partnerId, actor: { type: 'USER', id: `kyb:${applicationId}` }, requestId, ip } as const;
  if (found.expired) {
    const refused = { type: 'session', id: applicationId, title: 'SESSION_EXPIRED' } as const;
    await auditRefusedCall(services.engine, caller, refused);
    throw new Refusal('SESSION_EXPIRED', 'This token has ended. Ask for a fresh link.');
  }
  return {
    principal: { kind: 'applicant', applicationId, partnerId, programmeId },
    caller,
    partnerId,
    scopes: [],
    pinnedPublicKeys: [],
    idempotencyScope: `kyb:${applicationId}`,
    rated: rateOf.application(applicationId),
  };
}

async function refuseSuspended(services: Services, partnerId: number): Promise<void> {
  if (await isPartnerActive(services.engine, partnerId)) return;
  throw new Refusal('PARTNER_SUSPENDED', 'This partner is suspended.');
}
