import { activityInfo } from '@temporalio/activity';
import type { Kysely } from 'kysely';
import type { Trx } from '../../db/atomically.ts';
import { lockCustomer } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import { lockExpiredDocuments, tellEndingDocuments } from '../../db/document-expiry.ts';
import { liftExpiredLocks } from '../../db/lock-expiry.ts';
import { customersToScreen } from '../../db/screening-lists.ts';
import type { Caller } from '../../domain/actor.ts';
import type { Vault } from '../../vault/vault.ts';
import { screenAndLock } from './screening.ts';

export interface CustomerJobCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly vault: Vault;
}

/** What a block of a rescreening came to. */
export interface RescreenedBlock {
  readonly screened: number;
  readonly locked: number;
  /** Where the next block begins; null when there is nobody left. */
  readonly lastCustomerId: number | null;
}

const BLOCK = 200;

/** Jobs over all customers, by the clock (onboarding 6.6, 6.7, 7); each customer is a commit of their own. */
export function createCustomerJobActivities({ db, vault }: CustomerJobCollaborators) {
  return {
    /** Locks customers whose document is no longer good; answers how many. */
    lockExpiredDocuments: async (): Promise<number> => await lockExpiredDocuments(db, jobCaller()),

    /** Mails customers whose document ends soon; answers how many. */
    tellEndingDocuments: async (): Promise<number> => await tellEndingDocuments(db, jobCaller()),

    /** Lifts locks whose time has come; answers how many. */
    liftExpiredLocks: async (): Promise<number> => await liftExpiredLocks(db, jobCaller()),

    /** Compares the next block of customers with the lists as they are now. */
    async rescreenCustomers(of: { readonly afterCustomerId: number }): Promise<RescreenedBlock> {
      const caller = jobCaller();
      const customerIds = await customersToScreen(db, of.afterCustomerId, BLOCK);
      let locked = 0;
      for (const customerId of customerIds) {
        const hold = (trx: Trx) => lockCustomer(trx, 'every', customerId);
        if ((await screenAndLock({ db, vault, caller }, hold)).newlyLocked) locked += 1;
      }
      return { screened: customerIds.length, locked, lastCustomerId: customerIds.at(-1) ?? null };
    },
  };
}

const jobCaller = (): Caller => ({
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'customer-jobs' },
  requestId: activityInfo().workflowExecution?.workflowId ?? 'customer-jobs',
  ip: null,
});
