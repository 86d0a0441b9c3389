import { setCurrentDetails } from '@temporalio/workflow';
import type { FileReport } from '../domain/clearing-file.ts';
import { activitiesFor } from './activity-options.ts';
import { showStage } from './stage.ts';

export interface ClearingFileInput {
  readonly fileId: string;
}

/** Null: nothing was posted by this run; the row of the file says why. */
export type ClearingFileResult = FileReport | null;

/**
 * Fetches, checks and posts an announced clearing file (authorization 13). Each posting step takes 10,000 records
 * and goes on where the database says, so a file of a million leaves some hundred events and needs no new run.
 */
export async function clearingFile({ fileId }: ClearingFileInput): Promise<ClearingFileResult> {
  const show = (stage: string) => showStage({ stage, needsOperator: false, subjectId: fileId });
  const { fetchClearingFile } = activitiesFor('file');
  const { checkClearingFile, postClearingBlocks, finishClearingFile } = activitiesFor('posting');
  const { reconcile } = activitiesFor('job');

  show('FETCHING');
  if ((await fetchClearingFile({ fileId })) === 'ENDED') return ended();
  show('CHECKING');
  if ((await checkClearingFile({ fileId })) === 'ENDED') return ended();
  show('POSTING');
  for (;;) {
    const { records, done } = await postClearingBlocks({ fileId });
    setCurrentDetails(`**POSTING** ${done} of ${records} records`);
    if (done === records) break;
  }
  const report = await finishClearingFile({ fileId });
  await reconcile({ job: 'clearing', subject: fileId });
  show('POSTED');
  return report;

  function ended(): null {
    show('ENDED');
    return null;
  }
}
