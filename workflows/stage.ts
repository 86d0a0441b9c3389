import { log, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { keyword } from './keyword.ts';

/** Where a run stands, as operators find it: opaque ids and closed words only, for they are not encrypted. */
export interface ShownStage {
  readonly stage: string;
  /** True while the run waits for a person. */
  readonly needsOperator: boolean;
  readonly subjectId: string;
  /** Known once the first activity has answered. */
  readonly partnerId?: number;
  readonly programmeId?: number;
}

/** Puts the stage into search attributes, current details and the log; gives the time it began. */
export function showStage(shown: ShownStage): string {
  const since = new Date();
  upsertSearchAttributes([
    keyword('Stage', shown.stage),
    { key: { name: 'StageSince', type: 'DATETIME' }, value: since },
    { key: { name: 'NeedsOperator', type: 'BOOL' }, value: shown.needsOperator },
    keyword('SubjectId', shown.subjectId),
    ...(shown.partnerId === undefined ? [] : [keyword('PartnerId', String(shown.partnerId))]),
    ...(shown.programmeId === undefined ? [] : [keyword('ProgrammeId', String(shown.programmeId))]),
  ]);
  const waits = shown.needsOperator ? ' Waits for a decision by a person.' : '';
  setCurrentDetails(`**${shown.stage}** since ${since.toISOString()}.${waits}`);
  log.info('stage', { stage: shown.stage });
  return since.toISOString();
}
