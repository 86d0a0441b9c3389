import type { Programme } from '../../db/partners.ts';

/** Somebody who begins the application of a company: nobody in particular, in a named programme. */
export interface IntakePrincipal {
  readonly kind: 'intake';
  readonly programme: Programme;
}

/** Who holds the token of an application; it opens that one and nothing else. */
export interface ApplicantPrincipal {
  readonly kind: 'applicant';
  readonly applicationId: string;
  readonly partnerId: number;
  readonly programmeId: number;
}
