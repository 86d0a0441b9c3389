/** Keyword search attributes, by the names under which they are registered (operations 10.1). */
export type KeywordName = 'PartnerId' | 'ProgrammeId' | 'SubjectId' | 'Stage' | 'Operation' | 'DeliveryStage';

/** A search attribute and its value; values are not encrypted, so ids and closed words only. */
export const keyword = (name: KeywordName, value: string) => ({
  key: { name, type: 'KEYWORD' as const },
  value,
});
