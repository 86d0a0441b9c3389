import { continueAsNew, setCurrentDetails } from '@temporalio/workflow';
import { activitiesFor } from './activity-options.ts';
import { showStage } from './stage.ts';

export interface UserImportInput {
  readonly importId: string;
  /** Where a run goes on that continues another one. */
  readonly fromChunk?: number;
}

export interface UserImportResult {
  readonly state: 'DONE' | 'FAILED' | 'CANCELLED';
  readonly created: number;
  readonly updated: number;
  readonly skipped: number;
  readonly failed: number;
}

/** Chunks of one run: its history stays small, however long the file is. */
const CHUNKS_A_RUN = 50;

/** Imports the users of a file, 200 rows a step; what is done stays done, whatever breaks (onboarding 3). */
export async function userImport({ importId, fromChunk = 0 }: UserImportInput): Promise<UserImportResult> {
  const show = (stage: string) => showStage({ stage, needsOperator: false, subjectId: importId });
  const { validateImport, importChunk, finishImport } = activitiesFor('posting');

  if (fromChunk === 0) {
    show('VALIDATING');
    if ((await validateImport({ importId })) === 'FAILED') return await ended('FAILED');
  }
  show('RUNNING');
  for (let chunkNo = fromChunk; ; chunkNo += 1) {
    if (chunkNo === fromChunk + CHUNKS_A_RUN) {
      return await continueAsNew<typeof userImport>({ importId, fromChunk: chunkNo });
    }
    const { outcome, done, rows } = await importChunk({ importId, chunkNo });
    setCurrentDetails(`**RUNNING** ${done} of ${rows} rows`);
    if (outcome !== 'GO_ON') return await ended(outcome);
  }

  async function ended(state: UserImportResult['state']): Promise<UserImportResult> {
    const counts = await finishImport({ importId, state });
    show(state);
    return { state, ...counts };
  }
}
