import { z } from 'zod';
import { invalid, SimulatorError } from '../errors.ts';
import type { App } from '../http.ts';
import { readScenario } from '../scenario/file.ts';
import { openLibrary } from '../scenario/library.ts';
import { createRuns } from '../scenario/runs.ts';
import type { PartnerServer, CallPartnerApi } from '../scenario/world.ts';
import type { Simulation } from '../simulation.ts';
import { check, parseJson, readBody, readText } from '../validation.ts';

const fileBody = z.strictObject({ yaml: z.string().min(1) });
const runBody = z.strictObject({
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
});

/** Whom a scenario can ask beside the simulator itself; null where nobody is configured. */
export interface ScenarioPartners {
  readonly partner: CallPartnerApi | null;
  readonly partnerServer: PartnerServer | null;
}

/** Scenarios (spec 6.5): list, add as YAML text or `{"yaml"}`, run, read a run. */
export function mountScenarios(
  app: App,
  simulation: Simulation,
  token: string,
  partners: ScenarioPartners,
): void {
  const library = openLibrary(simulation.scenarios);
  const runs = createRuns(
    {
      ...partners,
      // Steps are calls of this very API, as anybody else would make them.
      control: async (method, path, body) => {
        const answer = await app.request(path, {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const text = await answer.text();
        return { status: answer.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
      },
      borrowSeed: simulation.draws.borrow,
      now: simulation.now,
    },
    simulation.logger,
  );

  app.get('/simulator/scenarios', (c) => c.json({ items: library.list() }));

  app.post('/simulator/scenarios', async (c) => {
    const sent = await readText(c.req.raw);
    const isJson = (c.req.header('content-type') ?? '').startsWith('application/json');
    const text = isJson ? check(parseJson(sent), fileBody).yaml : sent;
    const outcome = readScenario(text);
    if ('faults' in outcome) throw invalid(outcome.faults);
    const { name, steps } = outcome.scenario;
    simulation.scenarios.keep(name, text);
    return c.json({ name, source: 'added', steps: steps.length }, 201);
  });

  app.post('/simulator/scenarios/:name/runs', async (c) => {
    const { seed } = await readBody(c.req.raw, runBody);
    const scenario = library.find(c.req.param('name'));
    if (scenario === null) throw notFound('SCENARIO_NOT_FOUND', 'There is no such scenario.');
    const used = seed ?? scenario.seed ?? simulation.draws.seed();
    return c.json({ runId: runs.start(scenario, used), name: scenario.name, seed: used }, 202);
  });

  app.get('/simulator/runs/:runId', (c) => {
    const report = runs.find(c.req.param('runId'));
    if (report === null) throw notFound('RUN_NOT_FOUND', 'There is no such run.');
    return c.json(report);
  });
}

const notFound = (title: string, detail: string): SimulatorError => new SimulatorError(404, title, detail);
