import type { ScreeningHit } from '../../db/screening-hits.ts';
import type { LoadedList } from '../../db/screening-lists.ts';
import { SCREENING_LISTS } from '../../domain/screening.ts';
import { date, file, text, uuid, word, z } from './shared.ts';

/** Screening as operators see it (onboarding 6.7). */

export const HIT_STATES = ['OPEN', 'FALSE_POSITIVE', 'CONFIRMED'] as const;
export const SUBJECT_TYPES = ['CUSTOMER', 'PERSON', 'CORPORATION'] as const;

export const hitSchema = z
  .strictObject({
    hitId: uuid(),
    subject: z.strictObject({ type: z.enum(SUBJECT_TYPES), id: z.string() }),
    verificationId: uuid().nullable(),
    kybApplicationId: uuid().nullable(),
    list: z.enum(SCREENING_LISTS),
    entry: z.strictObject({ entryId: z.string(), names: z.array(z.string()) }),
    score: z.number(),
    state: z.enum(HIT_STATES),
    note: z.string().nullable(),
    decidedBy: z.string().nullable(),
    decidedAt: date().nullable(),
    createdAt: date(),
  })
  .openapi('ScreeningHit');

export const toHit = (hit: ScreeningHit): z.input<typeof hitSchema> => ({
  hitId: hit.hitId,
  subject: { type: hit.subject.type, id: hit.subject.ref },
  verificationId: hit.verificationId,
  kybApplicationId: hit.kybApplicationId,
  list: hit.list,
  entry: { entryId: hit.entryId, names: [...hit.entryNames] },
  score: hit.score,
  state: hit.state,
  note: hit.note,
  decidedBy: hit.decidedBy,
  decidedAt: hit.decidedAt?.toISOString() ?? null,
  createdAt: hit.createdAt.toISOString(),
});

export const hitDecisionBody = z
  .strictObject({ decision: word(['FALSE_POSITIVE', 'CONFIRMED']), note: text(1, 500) })
  .openapi('ScreeningHitDecision');

export const listSchema = z
  .strictObject({
    list: z.enum(SCREENING_LISTS),
    listVersionId: uuid(),
    entries: z.int(),
    loadedBy: z.string(),
    loadedAt: date(),
  })
  .openapi('ScreeningList');

export const toList = (one: LoadedList): z.input<typeof listSchema> => ({
  ...one,
  loadedAt: one.loadedAt.toISOString(),
});

export const listUploadBody = z.strictObject({ file: file() }).openapi('ScreeningListUpload');
