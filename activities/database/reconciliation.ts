import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { reconcile } from '../../db/reconciliation.ts';
import type { ReconciliationJob, ReconciliationVerdict } from '../../domain/reconciliation.ts';

export interface ReconciliationCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly onReconciled?: (verdict: ReconciliationVerdict) => void;
}

/** Jobs that hold the books against themselves (authorization 16). */
export function createReconciliationActivities({ db, onReconciled }: ReconciliationCollaborators) {
  return {
    /** Runs one job; a difference is a result, not a failure: it stands in the run and in the queue. */
    async reconcile(of: {
      readonly job: ReconciliationJob;
      /** The clearing file of job `clearing`. */
      readonly subject?: string;
    }): Promise<ReconciliationVerdict> {
      const verdict = await reconcile(db, of.job, of.subject ?? null);
      onReconciled?.(verdict);
      return verdict;
    },
  };
}
