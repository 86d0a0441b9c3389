import { openBody, sealBody } from './message-bodies.ts';
import type { Vault } from './vault.ts';

const placeOf = (subjectId: string) => ({
  partnerId: null,
  table: 'outbox',
  rowId: subjectId,
  field: 'facts',
});

/** Seals what a mail tells in secret (a code, a link) while it waits in the outbox; base64. */
export const sealMailFacts = (vault: Vault, subjectId: string, facts: object): string =>
  sealBody(vault, placeOf(subjectId), Buffer.from(JSON.stringify(facts))).toString('base64');

/** Opens what `sealMailFacts` made for the same subject. */
export const openMailFacts = (vault: Vault, subjectId: string, sealed: string): object =>
  JSON.parse(openBody(vault, placeOf(subjectId), Buffer.from(sealed, 'base64')).toString('utf8')) as object;
