import { kybAnswer } from '../kyb/answer.ts';
import { kybFormRoutes } from '../kyb/form-routes.ts';
import { beginKyb } from '../kyb/intake.ts';
import { partnerRoute, programmeIds, soleProgramme } from '../partner-principal.ts';
import { kybApplicationSchema } from '../schemas/kyb.ts';
import { contactBody } from '../schemas/kyb-sections.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme' } as const;

const begin = partnerRoute({
  ...shared,
  operation: 'secureBeginKybApplication',
  method: 'POST',
  path: '/kyb/applications',
  summary: 'Begin the application of a company (step 1); its contact is mailed a link to go on',
  jwe: 'open',
  idempotency: 'accepted',
  body: contactBody,
  answers: { 201: { description: 'the application', schema: kybApplicationSchema } },
  refusals: ['ISSUER_CODE_REQUIRED'],
  handle: (call) =>
    call.once(async (trx) => {
      const { vault } = call.services;
      const programme = soleProgramme(call.principal);
      const step = { contact: call.body, channel: 'SERVER', ip: null } as const;
      const application = await beginKyb(trx, vault, programme, step);
      return {
        status: 201,
        body: await kybAnswer(trx, vault, application),
        location: `/secure/kyb/applications/${application.applicationId}`,
      };
    }),
});

export const kyb = [
  begin,
  ...kybFormRoutes({
    ...shared,
    route: partnerRoute,
    prefix: 'secure',
    path: '/kyb/applications',
    sees: (principal) => ({ scope: programmeIds(principal) }),
  }),
];
