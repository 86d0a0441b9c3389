import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { decideHit, listHits, readHit } from '../../db/screening-hits.ts';
import { replaceScreeningList, screeningLists } from '../../db/screening-lists.ts';
import { Refusal } from '../../domain/errors.ts';
import type { ListedEntry, ReadList } from '../../domain/screening-list.ts';
import { SCREENING_LISTS } from '../../domain/screening.ts';
import { csvTextOf } from '../csv-files.ts';
import { adminRoute } from '../operator-principal.ts';
import type { UploadedFile } from '../route.ts';
import {
  HIT_STATES,
  hitDecisionBody,
  hitSchema,
  listSchema,
  listUploadBody,
  SUBJECT_TYPES,
  toHit,
  toList,
} from '../schemas/screening.ts';
import { listOf, page, text, uuid, word, z } from '../schemas/shared.ts';
import { operatorPage } from './lists.ts';

const LIST_BYTES = 100_000_000;

const ofHit = z.strictObject({ hitId: uuid() });

// Hits name entries of lists, which belong to no partner: the scope is the partner in the filter.

const hits = adminRoute({
  operation: 'listScreeningHits',
  method: 'GET',
  path: '/screening/hits',
  summary: 'List screening hits',
  permission: 'verifications.handle',
  jwe: 'open',
  idempotency: 'ignored',
  query: z.strictObject({
    ...page,
    state: word(HIT_STATES).optional(),
    list: word(SCREENING_LISTS).optional(),
    subjectType: word(SUBJECT_TYPES).optional(),
    subjectId: text(1, 64).optional(),
  }),
  answers: { 200: { description: 'hits, newest first', schema: listOf(hitSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const partnerId = call.principal.partnerId ?? undefined;
    const body = await call.asEngine((trx) =>
      operatorPage(call, {
        operation: 'listScreeningHits',
        filters,
        page: { limit, cursor },
        read: (before, most) =>
          listHits(trx, { ...filters, partnerId }, { limit: most, beforeId: before ?? null }),
        positionOf: (hit) => hit.hitId,
        toItem: toHit,
      }),
    );
    return { status: 200, body };
  },
});

const hit = adminRoute({
  operation: 'readScreeningHit',
  method: 'GET',
  path: '/screening/hits/{hitId}',
  summary: 'Read one screening hit',
  permission: 'verifications.handle',
  jwe: 'open',
  idempotency: 'ignored',
  params: ofHit,
  answers: { 200: { description: 'the hit', schema: hitSchema } },
  refusals: ['HIT_NOT_FOUND'],
  handle: async (call) => {
    const partnerId = call.principal.partnerId ?? undefined;
    const found = await call.asEngine((trx) => readHit(trx, { ...call.params, partnerId }));
    return { status: 200, body: toHit(found) };
  },
});

const decide = adminRoute({
  operation: 'decideScreeningHit',
  method: 'POST',
  path: '/screening/hits/{hitId}/decision',
  summary: 'Say whether a hit is the person of the list',
  permission: 'screening.decide',
  jwe: 'open',
  idempotency: 'accepted',
  params: ofHit,
  body: hitDecisionBody,
  answers: { 200: { description: 'the decided hit', schema: hitSchema } },
  refusals: ['HIT_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) => {
    const { partnerId, operatorId } = call.principal;
    const request = { ...call.params, ...call.body, operatorId, partnerId: partnerId ?? undefined };
    return call.onceAsEngine(async (trx) => ({ status: 200, body: toHit(await decideHit(trx, request)) }));
  },
});

const lists = adminRoute({
  operation: 'listScreeningLists',
  method: 'GET',
  path: '/screening/lists',
  summary: 'The screening lists as they stand',
  permission: 'screening.decide',
  jwe: 'open',
  idempotency: 'ignored',
  answers: { 200: { description: 'those that were loaded, by code', schema: listOf(listSchema) } },
  refusals: [],
  handle: async (call) => {
    const loaded = await call.asEngine(screeningLists);
    return { status: 200, body: { items: loaded.map(toList), nextCursor: null } };
  },
});

const load = adminRoute({
  operation: 'loadScreeningList',
  method: 'POST',
  path: '/screening/lists/{code}',
  summary: 'Replace a screening list as a whole; everybody is screened anew',
  description: `The file is CSV with the columns entryId, kind, name, aliases, birthDates, countries; values inside a
column are parted by a vertical bar. A list is taken as a whole or not at all.`,
  permission: 'screening.load',
  jwe: 'open',
  idempotency: 'accepted',
  contentType: 'multipart/form-data',
  maxBodyBytes: LIST_BYTES + 64_000,
  params: z.strictObject({ code: word(SCREENING_LISTS) }),
  body: listUploadBody,
  answers: {
    202: { description: 'in force', schema: z.strictObject({ listVersionId: uuid() }) },
  },
  refusals: ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'SCREENING_LIST_INVALID'],
  handle: async (call) => {
    const entries = await readList(call.body.file);
    return await call.onceAsEngine(async (trx) => {
      const { listVersionId } = await replaceScreeningList(trx, call.params.code, entries);
      return { status: 202, body: { listVersionId } };
    });
  },
});

/** The entries of a list's file. Throws `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE`, `SCREENING_LIST_INVALID`. */
async function readList(file: UploadedFile): Promise<readonly ListedEntry[]> {
  if (file.bytes.length > LIST_BYTES) throw new Refusal('PAYLOAD_TOO_LARGE', 'The file may have 100 MB.');
  const thread = new Worker(new URL('../screening-list-thread.ts', import.meta.url), {
    workerData: csvTextOf(file),
  });
  const [read] = (await once(thread, 'message')) as [ReadList];
  if (read.faults.length === 0) return read.entries;
  throw new Refusal('SCREENING_LIST_INVALID', 'The file has faults; the list stays as it was.', {
    fields: read.faults.map(({ line, fault }) => ({ field: `line ${line}`, message: fault })),
  });
}

export const screening = [hits, hit, decide, lists, load];
