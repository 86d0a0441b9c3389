import { z } from 'zod';
import { SimulatorError } from '../errors.ts';
import { faultBody } from '../faults.ts';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import { cardStatus } from '../store/cards.ts';
import { forgetState } from '../store/database.ts';
import { decimalRate, readBody } from '../validation.ts';
import { readRates, writeRates } from './billing.ts';
import { findTrace } from './follow-ups.ts';

const LISTED = 200;

const configBody = z.strictObject({
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  rates: z.record(z.string().regex(/^[A-Z]{3}\/[A-Z]{3}$/, 'must be FROM/TO'), decimalRate).optional(),
});

/** The simulator's own state: cards, messages, settings, faults, reset (spec 6.2). */
export function mountState(app: App, simulation: Simulation): void {
  const { cards, draws, faults, messages } = simulation;
  const config = () => ({ seed: draws.seed(), rates: readRates(simulation) });

  app.get('/simulator/cards', (c) =>
    c.json({
      items: cards.newestFirst(LISTED).map((card) => ({
        processorCardId: card.processorCardId,
        reference: card.reference,
        externalCardId: card.externalCardId,
        productId: card.productId,
        currency: card.currency,
        lastFourDigits: card.pan.slice(-4),
        expiry: card.expiry,
        status: cardStatus(card),
        locks: card.locks,
        createdAt: card.createdAt,
      })),
    }),
  );

  app.get('/simulator/messages', (c) => {
    const traceId = c.req.query('traceId');
    if (traceId === undefined) return c.json({ items: messages.newestFirst(LISTED) });
    const items = messages.ofTrace(traceId);
    if (items.length === 0) findTrace(simulation, traceId);
    return c.json({ items });
  });

  app.get('/simulator/config', (c) => c.json(config()));
  app.put('/simulator/config', async (c) => {
    const { seed, rates } = await readBody(c.req.raw, configBody);
    if (seed !== undefined) draws.reseed(seed);
    if (rates !== undefined) writeRates(simulation, rates);
    return c.json(config());
  });

  app.get('/simulator/faults', (c) => c.json({ items: faults.list() }));
  app.post('/simulator/faults', async (c) => c.json(faults.add(await readBody(c.req.raw, faultBody)), 201));
  app.delete('/simulator/faults', (c) => {
    faults.clear();
    return c.body(null, 204);
  });
  app.delete('/simulator/faults/:faultId', (c) => {
    if (!faults.remove(c.req.param('faultId'))) {
      throw new SimulatorError(404, 'FAULT_NOT_FOUND', 'There is no such fault.');
    }
    return c.body(null, 204);
  });

  app.post('/simulator/reset', (c) => {
    faults.clear();
    forgetState(simulation.database);
    return c.body(null, 204);
  });
}
