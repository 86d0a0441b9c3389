import { activityInfo } from '@temporalio/activity';
import type { Kysely } from 'kysely';
import { atomically, type Trx } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { readKybApplication, sectionPlace, sectionRows } from '../../db/kyb-applications.ts';
import { flagKyb } from '../../db/kyb-screening.ts';
import { registryFlags, type RegistryFlag } from '../../domain/company-registry.ts';
import type { EntitySection } from '../../domain/kyb-form.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import type { CompanyRegistryClient, RegistryAnswer } from './client.ts';

export interface CompanyRegistryCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly vault: Vault;
  /** Null: no register is configured. */
  readonly companyRegistry: CompanyRegistryClient | null;
}

/** Asking a register of companies about an application (onboarding 8.5, step 3). */
export function createCompanyRegistryActivities(collaborators: CompanyRegistryCollaborators) {
  const { db, vault, companyRegistry } = collaborators;
  const inOneCommit = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(db, systemCaller(), work);

  return {
    /** Compares the form with the register, and flags what differs; a register that is away is flagged, no more. */
    async checkCompanyRegistry({
      applicationId,
    }: {
      readonly applicationId: string;
    }): Promise<RegistryFlag[]> {
      if (companyRegistry === null) return [];
      const entity = await inOneCommit(async (trx) => {
        const { subjectKey } = await readKybApplication(trx, 'every', applicationId);
        const sections = await sectionRows(trx, applicationId);
        const sealed = sections.find((one) => one.section === 'ENTITY')?.content ?? null;
        if (sealed === null) return null;
        return openPersonal<EntitySection>(vault, subjectKey, sectionPlace(applicationId, 'ENTITY'), sealed);
      });
      if (entity === null || entity.name === null || entity.country === null || entity.taxId === null) {
        return [];
      }
      const { name, registryNumber, country, taxId } = entity;
      const flags = flagsOf({ name, registryNumber }, await companyRegistry.find({ country, taxId }));
      await inOneCommit(async (trx) => {
        for (const flag of flags) await flagKyb(trx, applicationId, flag);
      });
      return flags;
    },
  };
}

function flagsOf(form: Parameters<typeof registryFlags>[0], answer: RegistryAnswer): RegistryFlag[] {
  switch (answer.kind) {
    case 'FOUND':
      return registryFlags(form, answer.company);
    case 'NOT_FOUND':
      return registryFlags(form, null);
    case 'UNAVAILABLE':
      return ['REGISTRY_UNAVAILABLE'];
  }
}

const systemCaller = () => ({
  partnerId: null,
  actor: { type: 'SYSTEM' as const, id: 'company-registry' },
  requestId: activityInfo().workflowExecution?.workflowId ?? 'company-registry',
  ip: null,
});
