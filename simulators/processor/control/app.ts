import { createHash, timingSafeEqual } from 'node:crypto';
import { SimulatorError } from '../errors.ts';
import type { App } from '../http.ts';
import { createApp } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import { mountAuthorizations } from './authorizations.ts';
import { mountCardEvents } from './card-events.ts';
import { mountFollowUps } from './follow-ups.ts';
import { mountRepeats } from './repeats.ts';
import { mountState } from './state.ts';
import { mountUnlinked } from './unlinked.ts';

/** The control side: `/simulator/...` behind the bearer token, `/health` free (spec 6.2). */
export function createControlApp(simulation: Simulation, token: string): App {
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
  mountFollowUps(app, simulation);
  mountRepeats(app, simulation);
  mountUnlinked(app, simulation);
  mountCardEvents(app, simulation);
  mountState(app, simulation);
  return app;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
