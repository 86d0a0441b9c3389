import { z } from 'zod';
import { SimulatorError } from '../errors.ts';
import { clockBody } from '../clock.ts';
import { faultBody } from '../faults/body.ts';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import { cardStatus } from '../store/cards.ts';
import { forgetState } from '../store/database.ts';
import { readStandIn, standInBody, writeStandIn } from '../store/stand-in.ts';
import { decimalRate, readBody } from '../validation.ts';
import { readRates, writeRates } from './billing.ts';
import type { DayEnd } from './day-end.ts';
import { findTrace } from './find-trace.ts';
import { removeClearingFiles } from './make-clearing-file.ts';

const LISTED = 200;

const configBody = z.strictObject({
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  rates: z.record(z.string().regex(/^[A-Z]{3}\/[A-Z]{3}$/, 'must be FROM/TO'), decimalRate).optional(),
  standIn: standInBody.optional(),
  autoClearing: z.boolean().optional(),
});

/** The simulator's own state: cards, messages, settings, faults, reset (spec 6.2). */
export function mountState(app: App, simulation: Simulation, dayEnd: DayEnd): void {
  const { cards, draws, faults, messages } = simulation;
  const config = () => ({
    seed: draws.seed(),
    rates: readRates(simulation),
    standIn: readStandIn(simulation.settings),
    autoClearing: dayEnd.isOn(),
  });

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
    const { seed, rates, standIn, autoClearing } = await readBody(c.req.raw, configBody);
    if (seed !== undefined) draws.reseed(seed);
    if (rates !== undefined) writeRates(simulation, rates);
    if (standIn !== undefined) writeStandIn(simulation.settings, standIn);
    if (autoClearing !== undefined) dayEnd.turn(autoClearing);
    return c.json(config());
  });

  app.get('/simulator/clock', (c) => c.json(simulation.clock.state()));
  app.put('/simulator/clock', async (c) => {
    const state = simulation.clock.set(await readBody(c.req.raw, clockBody));
    dayEnd.check();
    return c.json(state);
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
    removeClearingFiles(simulation);
    return c.body(null, 204);
  });
}
