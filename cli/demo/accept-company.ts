import { z } from 'zod';
import { applyForCompany, newCompany } from './company.ts';
import { expectEqual } from './difference.ts';
import type { OperatorClient } from './operator-client.ts';
import { eventually } from './patience.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

const SECTIONS = ['CONTACT', 'ENTITY', 'BUSINESS', 'PERSONS', 'DOCUMENTS'] as const;

const caseSchema = z.object({
  status: z.string(),
  flags: z.array(z.string()),
  personChecks: z.array(z.object({ outcome: z.string().nullable() })),
});

// The provider looks at the person first, and a worker that died with an activity in hand is waited for.
const SCREENED_WITHIN_MS = 60_000;

/** Step 17: a company applies, an operator reviews section by section and accepts; the applicant is mailed. */
export async function acceptCompany(
  world: World,
  operator: OperatorClient,
): Promise<Seen<{ applicationId: string }>> {
  const company = newCompany();
  const applicationId = await applyForCompany(world, company);
  const path = `/kyb/applications/${applicationId}`;
  const seen = await eventually(
    'the application',
    'SUBMITTED, with the person checked by the provider',
    () => operator.call('GET', path, { status: 200, answer: caseSchema }),
    (one) => one.personChecks.length > 0 && one.personChecks.every(({ outcome }) => outcome !== null),
    SCREENED_WITHIN_MS,
  );
  expectEqual(
    'what the provider found',
    ['APPROVED'],
    seen.personChecks.map((one) => one.outcome),
  );
  await eventually(
    "the applicant's mails",
    'one that the application is under review',
    () => world.mailsTo(company.contactEmail),
    (mails) => mails.length >= 2,
  );
  for (const section of SECTIONS) {
    await operator.call('PUT', `${path}/sections/${section}/review`, {
      body: { result: 'VERIFIED' },
      status: 200,
      answer: caseSchema,
    });
  }
  const accepted = await operator.call('POST', `${path}/accept`, {
    body: { note: 'Demo' },
    status: 200,
    answer: caseSchema,
  });
  expectEqual('the application', 'ACCEPTED', accepted.status);
  const mails = await eventually(
    "the applicant's mails",
    'saved, under review, accepted',
    () => world.mailsTo(company.contactEmail),
    (found) => found.length >= 3,
  );
  return {
    happened: 'company applied, reviewed, accepted',
    figures: { sections: SECTIONS.length, persons: seen.personChecks.length, mails: mails.length },
    link: world.linkTo(`corporation-onboarding:${applicationId}`),
    facts: { applicationId },
  };
}
