import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../../activities/index.ts';
import { begin, neverEnds, type Scenario, untilItEnds, untilItWaits } from '../scenario.ts';

const steps: Partial<Activities> = {
  readLeaver: async () => ({ partnerId: 1, programmeId: 2 }),
  removeCards: async () => 2,
  unpairDevices: async () => undefined,
  closeVerifications: async () => undefined,
  closeBalances: async () => 1,
};

/** A step that has to be tried a second time. */
function secondTime(): () => Promise<number> {
  let tries = 0;
  return async () => {
    tries += 1;
    if (tries === 1) throw ApplicationFailure.create({ type: 'BALANCE_NOT_SETTLED', nextRetryDelay: 50 });
    return 1;
  };
}

function scenario(
  workflow: 'customer-removal' | 'corporation-removal',
  path: string,
  changes: Partial<Activities> = {},
): Scenario {
  return {
    workflow,
    path,
    activities: { ...steps, ...changes },
    async play(stage) {
      const id = `${workflow}:${path}`;
      const run =
        workflow === 'customer-removal'
          ? await begin(stage, 'customerRemoval', id, { customerId: 1337 })
          : await begin(stage, 'corporationRemoval', id, { corporationId: path });
      return path.startsWith('in-flight') ? await untilItWaits(run, 'ACTIVITY') : await untilItEnds(run);
    },
  };
}

/** Paths of `customer-removal` and `corporation-removal`. */
export const removalScenarios: readonly Scenario[] = [
  scenario('customer-removal', 'cleaned-up'),
  scenario('customer-removal', 'settled-at-second-try', { closeBalances: secondTime() }),
  scenario('customer-removal', 'in-flight-starting', { readLeaver: neverEnds }),
  scenario('customer-removal', 'in-flight-cards', { removeCards: neverEnds }),
  scenario('customer-removal', 'in-flight-devices', { unpairDevices: neverEnds }),
  scenario('customer-removal', 'in-flight-verifications', { closeVerifications: neverEnds }),
  scenario('customer-removal', 'in-flight-balances', { closeBalances: neverEnds }),
  scenario('corporation-removal', 'cleaned-up'),
  scenario('corporation-removal', 'settled-at-second-try', { closeBalances: secondTime() }),
  scenario('corporation-removal', 'in-flight-starting', { readLeaver: neverEnds }),
  scenario('corporation-removal', 'in-flight-cards', { removeCards: neverEnds }),
  scenario('corporation-removal', 'in-flight-balances', { closeBalances: neverEnds }),
];
