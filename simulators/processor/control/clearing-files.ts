import { z } from 'zod';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import { amountMinorUnits, currencyCode, readBody } from '../validation.ts';
import { FILE_DEFECTS } from '../wire/clearing-file.ts';
import { cardSelector, selectCard } from './card-selector.ts';
import { controlAnswer, newTraceId } from './exchange.ts';
import { movingTrace } from './find-trace.ts';
import { announcementOf, makeClearingFile } from './make-clearing-file.ts';

const LISTED = 200;

/**
 * `forcePosts`, `fileId` and `announce` are ours: files of any size without authorizations, a file made anew
 * under the same id (which the platform refuses as changed), and one that nobody is told of.
 */
const fileBody = z.strictObject({
  businessDate: z.iso.date(),
  traceIds: z.array(z.string().min(1).max(64)).min(1).max(10_000).optional(),
  defect: z.enum(FILE_DEFECTS).optional(),
  forcePosts: z
    .strictObject({
      ...cardSelector,
      processorCardIds: z.array(z.string().min(1).max(64)).min(1).max(1_000).optional(),
      count: z.number().int().min(1).max(1_000_000),
      amount: amountMinorUnits,
      currency: currencyCode,
    })
    .optional(),
  fileId: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be 1 to 64 letters, digits, _ or -')
    .optional(),
  announce: z.boolean().default(true),
});

type ForcePostsBody = NonNullable<z.output<typeof fileBody>['forcePosts']>;

/** Clearing files (spec 6.2): made, kept for `getClearingFile`, announced to the platform. */
export function mountClearingFiles(app: App, simulation: Simulation): void {
  app.post('/simulator/clearing-files', async (c) => {
    const body = await readBody(c.req.raw, fileBody);
    const file = makeClearingFile(simulation, {
      businessDate: body.businessDate,
      traces: body.traceIds?.map((traceId) => movingTrace(simulation, traceId)) ?? null,
      forcePosts: body.forcePosts === undefined ? null : forcePostsOf(simulation, body.forcePosts),
      defect: body.defect ?? null,
      fileId: body.fileId ?? null,
    });
    const traceId = newTraceId(simulation);
    const announcement = announcementOf(simulation, file, traceId);
    const exchange = body.announce
      ? await simulation.sender.sendUntilAccepted(announcement)
      : ({ outcome: 'notSent', latencyMs: 0 } as const);
    return c.json({ ...controlAnswer(traceId, announcement.body, exchange), fileId: file.fileId });
  });

  app.get('/simulator/clearing-files', (c) =>
    c.json({
      items: simulation.clearingFiles.newestFirst(LISTED).map(({ path: _, ...file }) => file),
    }),
  );
}

function forcePostsOf(simulation: Simulation, body: ForcePostsBody) {
  const { processorCardIds, count, amount, currency, ...selector } = body;
  const ids = processorCardIds ?? [selectCard(simulation.cards, selector).processorCardId];
  ids.forEach((id) => selectCard(simulation.cards, { processorCardId: id }));
  return { processorCardIds: ids, count, amountMinorUnits: amount, currency };
}
