import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { invalid, readJson, refuse } from './answers.ts';
import type { Callbacks } from './callbacks.ts';
import type { Checks } from './checks.ts';
import { isSameText } from './same-text.ts';
import { outcomeSchema, scenarioSchema } from './scenario.ts';
import type { State } from './state.ts';

const completionSchema = z.strictObject({ outcome: outcomeSchema, reasons: z.array(z.string()).default([]) });
const resetSchema = z.strictObject({ seed: z.union([z.string(), z.int()]).transform(String).optional() });

export interface ControlApiParts {
  readonly state: State;
  readonly checks: Checks;
  readonly callbacks: Callbacks;
  /** Bearer token; null: none is asked for. */
  readonly token: string | null;
  readonly reset: (seed: string | undefined) => void;
}

/** The control calls of onboarding 9.4, mounted under `/simulator`. */
export function createControlApi(parts: ControlApiParts): Hono {
  const { state, checks, callbacks } = parts;
  const app = new Hono();
  app.get('/health', (c) => c.json({ status: 'UP' }));
  app.use(async (c, next) => {
    const given = c.req.header('Authorization') ?? '';
    if (parts.token !== null && !isSameText(given, `Bearer ${parts.token}`)) {
      return refuse(c, 401, 'UNAUTHENTICATED', 'The bearer token is missing or wrong.');
    }
    return next();
  });

  app.put('/scenarios/:externalId', async (c) => {
    const scenario = scenarioSchema.safeParse(await readJson(c));
    if (!scenario.success) return invalid(c, scenario.error);
    state.scenarios.set(c.req.param('externalId'), scenario.data);
    return c.body(null, 204);
  });
  app.delete('/scenarios', (c) => {
    state.scenarios.clear();
    return c.body(null, 204);
  });
  app.post('/reset', async (c) => {
    const body = resetSchema.safeParse((await readJson(c)) ?? {});
    if (!body.success) return invalid(c, body.error);
    parts.reset(body.data.seed);
    return c.body(null, 204);
  });

  app.get('/checks', (c) =>
    c.json({
      checks: state.checks.all().map((check) => ({
        ...check,
        documents: state.documents.all().filter((one) => one.applicantId === check.applicantId),
      })),
      calls: state.calls.all(),
      callbacks: state.callbacks.all(),
    }),
  );
  app.post('/checks/:checkId/complete', async (c) => {
    const check = state.checks.get(c.req.param('checkId'));
    if (check === undefined) return missing(c);
    const body = completionSchema.safeParse(await readJson(c));
    if (!body.success) return invalid(c, body.error);
    checks.complete(check, body.data.outcome, body.data.reasons);
    return c.body(null, 204);
  });
  app.post('/checks/:checkId/callback', (c) => {
    const check = state.checks.get(c.req.param('checkId'));
    return check !== undefined && callbacks.repeat(check) ? c.body(null, 204) : missing(c);
  });
  return app;
}

function missing(c: Context): Response {
  return refuse(c, 404, 'NOT_FOUND', 'There is no such check, or nothing was sent for it.');
}
