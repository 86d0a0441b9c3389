import { activityInfo } from '@temporalio/activity';
import type { Kysely } from 'kysely';
import { atomically } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import {
  forgetVerificationFiles,
  kybFiles,
  kybToShred,
  shredKyb,
  verificationFilesToShred,
} from '../../db/retention.ts';
import type { Caller } from '../../domain/actor.ts';
import { type DocumentStore, removeDocument } from '../../vault/document-store.ts';

export interface RetentionCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly documents: DocumentStore;
}

const BLOCK = 100;

/**
 * The end of what may be kept no longer (onboarding 5, operations 7.3). Files go before the rows that name them: a
 * step that is cut off in between finds them again.
 */
export function createRetentionActivities({ db, documents }: RetentionCollaborators) {
  return {
    /** Shreds the next block of companies' applications; answers how many, 0 = none is left. */
    async shredKybApplications(): Promise<number> {
      const due = await kybToShred(db, BLOCK);
      for (const applicationId of due) {
        const files = await atomically(db, retentionCaller(), (trx) => kybFiles(trx, applicationId));
        for (const file of files) await removeDocument(documents, file);
        await atomically(db, retentionCaller(), (trx) => shredKyb(trx, applicationId));
      }
      return due.length;
    },

    /** Shreds the files of the next block of verifications; answers how many, 0 = none is left. */
    async shredVerificationFiles(): Promise<number> {
      const due = await verificationFilesToShred(db, BLOCK);
      for (const one of due) {
        for (const file of one.storeKeys) await removeDocument(documents, file);
        await atomically(db, retentionCaller(), (trx) => forgetVerificationFiles(trx, one));
      }
      return due.length;
    },
  };
}

const retentionCaller = (): Caller => ({
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'retention' },
  requestId: activityInfo().workflowExecution?.workflowId ?? 'retention',
  ip: null,
});
