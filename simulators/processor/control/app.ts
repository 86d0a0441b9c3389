import { createHash, timingSafeEqual } from 'node:crypto';
import { SimulatorError } from '../errors.ts';
import type { App } from '../http.ts';
import { createApp } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import { mountAdvices } from './advices.ts';
import { mountAuthorizations } from './authorizations.ts';
import { mountCardEvents } from './card-events.ts';
import { mountClear } from './clear.ts';
import { mountClearingFiles } from './clearing-files.ts';
import type { DayEnd } from './day-end.ts';
import { mountFollowUps } from './follow-ups.ts';
import { mountIncrements } from './increments.ts';
import { mountPinTries } from './pin-tries.ts';
import { mountRepeats } from './repeats.ts';
import { mountReplays } from './replays.ts';
import type { ScenarioPartners } from './scenarios.ts';
import { mountScenarios } from './scenarios.ts';
import { mountState } from './state.ts';
import { mountUnlinked } from './unlinked.ts';

/** The control side: `/simulator/...` behind the bearer token, `/health` free (spec 6.2). */
export function createControlApp(
  simulation: Simulation,
  dayEnd: DayEnd,
  token: string,
  partners: ScenarioPartners,
): App {
  const app = createApp(simulation.logger);
  const expected = digest(`Bearer ${token}`);
  app.get('/health', (c) => c.json({ status: 'UP' }));
  app.use('/simulator/*', async (c, next) => {
    if (!timingSafeEqual(digest(c.req.header('authorization') ?? ''), expected)) {
      throw new SimulatorError(401, 'UNAUTHENTICATED', 'The bearer token is missing or wrong.');
    }
    await next();
  });
  mountAuthorizations(app, simulation);
  mountIncrements(app, simulation);
  mountAdvices(app, simulation);
  mountClear(app, simulation);
  mountFollowUps(app, simulation);
  mountRepeats(app, simulation);
  mountUnlinked(app, simulation);
  mountPinTries(app, simulation);
  mountClearingFiles(app, simulation);
  mountReplays(app, simulation);
  mountCardEvents(app, simulation);
  mountState(app, simulation, dayEnd);
  mountScenarios(app, simulation, token, partners);
  return app;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
