import { activityInfo } from '@temporalio/activity';
import type { Kysely } from 'kysely';
import { atomically } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import {
  dueFiles,
  type DueKind,
  forgetFiles,
  forgetIdempotencyKeys as freeKeys,
  purgeDeliveryBodies as purgeBodies,
} from '../../db/retention.ts';
import { kybFiles, kybToShred, shredKyb } from '../../db/kyb-retention.ts';
import type { Caller } from '../../domain/actor.ts';
import { type DocumentStore, removeDocument } from '../../vault/document-store.ts';

export interface RetentionCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly documents: DocumentStore;
  /** How long a used idempotency key is kept. */
  readonly idempotencyHours: number;
}

const APPLICATIONS_AT_ONCE = 100;

/** What is kept for a time and then deleted (operations 7.3); what was deleted before a crash stays deleted. */
export function createRetentionActivities({ db, documents, idempotencyHours }: RetentionCollaborators) {
  return {
    /** Deletes files of a kind whose time is over; answers of how many imports or verifications. */
    async deleteDueFiles({ kind }: { readonly kind: DueKind }): Promise<number> {
      const caller = jobCaller();
      for (let deleted = 0; ;) {
        const due = await atomically(db, caller, (trx) => dueFiles(trx, kind));
        if (due.length === 0) return deleted;
        for (const one of due) {
          // The file goes first: a row without its file is tried again, a file without its row would stay for ever.
          for (const key of one.storeKeys) await removeDocument(documents, key);
          await atomically(db, caller, (trx) => forgetFiles(trx, one));
        }
        deleted += due.length;
      }
    },

    /** Shreds companies' applications whose time is over; answers how many. */
    async shredKybApplications(): Promise<number> {
      const caller = jobCaller();
      for (let shredded = 0; ;) {
        const due = await kybToShred(db, APPLICATIONS_AT_ONCE);
        if (due.length === 0) return shredded;
        for (const applicationId of due) {
          const files = await atomically(db, caller, (trx) => kybFiles(trx, applicationId));
          for (const file of files) await removeDocument(documents, file);
          await atomically(db, caller, (trx) => shredKyb(trx, applicationId));
        }
        shredded += due.length;
      }
    },

    /** Takes old bodies out of ended deliveries; answers how many. */
    purgeDeliveryBodies: async (): Promise<number> => await purgeBodies(db),

    /** Frees old idempotency keys; answers how many. */
    forgetIdempotencyKeys: async (): Promise<number> => await freeKeys(db, idempotencyHours),
  };
}

const jobCaller = (): Caller => ({
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'retention' },
  requestId: activityInfo().workflowExecution?.workflowId ?? 'retention',
  ip: null,
});
