import { defineSearchAttributeKey } from '@temporalio/common';

/** Search attributes of all workflows (operations 10.1). Never encrypted: opaque ids and closed words only. */
export const searchAttributes = {
  PartnerId: defineSearchAttributeKey('PartnerId', 'KEYWORD'),
  ProgrammeId: defineSearchAttributeKey('ProgrammeId', 'KEYWORD'),
  SubjectId: defineSearchAttributeKey('SubjectId', 'KEYWORD'),
  Stage: defineSearchAttributeKey('Stage', 'KEYWORD'),
  Operation: defineSearchAttributeKey('Operation', 'KEYWORD'),
  DeliveryStage: defineSearchAttributeKey('DeliveryStage', 'KEYWORD'),
  NeedsOperator: defineSearchAttributeKey('NeedsOperator', 'BOOL'),
  StageSince: defineSearchAttributeKey('StageSince', 'DATETIME'),
} as const;
