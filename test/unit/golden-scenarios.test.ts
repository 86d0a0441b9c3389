import { describe, expect, it } from 'vitest';
import { GOLDEN_SCENARIOS } from '../support/golden-scenarios.ts';
import { openPureWorld } from '../support/pure-world.ts';
import { headOf, runScenario } from '../support/scenario-table.ts';

describe('golden scenarios, by the pure functions alone', () => {
  it.each(GOLDEN_SCENARIOS.map((text) => [text.split('\n')[0], text] as const))('%s', async (_name, text) => {
    const { expected, found } = await runScenario(text, openPureWorld(headOf(text)));
    expect(found).toEqual(expected);
  });
});
