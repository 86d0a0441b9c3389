import {
  type ClearingFileCollaborators,
  createClearingFileActivities,
} from './authorization/clearing-files.ts';
import { createHoldActivities } from './authorization/holds.ts';
import {
  type CompanyRegistryCollaborators,
  createCompanyRegistryActivities,
} from './company-registry/companies.ts';
import { createKybActivities, type KybCollaborators } from './database/kyb-applications.ts';
import {
  createReconciliationActivities,
  type ReconciliationCollaborators,
} from './database/reconciliation.ts';
import { createCustomerJobActivities, type CustomerJobCollaborators } from './database/customer-jobs.ts';
import { type CompanyJobCollaborators, createCompanyJobActivities } from './database/company-jobs.ts';
import { createRemovalActivities, type RemovalCollaborators } from './database/removals.ts';
import { createVerificationActivities, type VerificationCollaborators } from './database/verifications.ts';
import { createRetentionActivities, type RetentionCollaborators } from './database/retention.ts';
import { createUserImportActivities, type UserImportCollaborators } from './database/user-imports.ts';
import { createPersonCheckActivities } from './kyc-provider/persons.ts';
import { createKycProviderActivities, type KycProviderCollaborators } from './kyc-provider/verifications.ts';
import { createNotifierActivities, type NotifierCollaborators } from './partner/notifier.ts';
import {
  type CardInstructionCollaborators,
  createCardInstructionActivities,
} from './processor/card-instructions.ts';

/** What activities work with; the worker puts it together once. */
export type Collaborators = VerificationCollaborators &
  CustomerJobCollaborators &
  CompanyJobCollaborators &
  RemovalCollaborators &
  RetentionCollaborators &
  KycProviderCollaborators &
  NotifierCollaborators &
  CardInstructionCollaborators &
  ClearingFileCollaborators &
  ReconciliationCollaborators &
  KybCollaborators &
  RetentionCollaborators &
  CompanyRegistryCollaborators &
  UserImportCollaborators;

/** All activities, by the names under which workflows call them. */
export const createActivities = (collaborators: Collaborators) => ({
  ...createVerificationActivities(collaborators),
  ...createCustomerJobActivities(collaborators),
  ...createCompanyJobActivities(collaborators),
  ...createRemovalActivities(collaborators),
  ...createRetentionActivities(collaborators),
  ...createKycProviderActivities(collaborators),
  ...createPersonCheckActivities(collaborators),
  ...createNotifierActivities(collaborators),
  ...createCardInstructionActivities(collaborators),
  ...createClearingFileActivities(collaborators),
  ...createHoldActivities(collaborators),
  ...createReconciliationActivities(collaborators),
  ...createKybActivities(collaborators),
  ...createRetentionActivities(collaborators),
  ...createCompanyRegistryActivities(collaborators),
  ...createUserImportActivities(collaborators),
});

/** What workflows see. */
export type Activities = ReturnType<typeof createActivities>;
