import { join } from 'node:path';
import { request } from 'undici';
import { platformEnvironment, simulatorEnvironment } from './child-environment.ts';
import { guarded, type Launch } from './launch.ts';
import { answersQuery } from './postgres-roles.ts';
import { addressesOf, type Stack } from './stack.ts';
import type { ChildSpec } from './supervised-child.ts';
import type { StopStage } from './supervisor.ts';
import { isTemporalReady } from './temporal-server.ts';

export const simulatorNames = ['processor', 'partner', 'kyc-provider', 'inbox'] as const;
export const roleNames = ['api', 'worker', 'codec'] as const;

export type SimulatorName = (typeof simulatorNames)[number];
export type RoleName = (typeof roleNames)[number];

/** The entry file of each process of ours. */
export const entries: Readonly<Record<SimulatorName | RoleName, string>> = {
  processor: 'simulators/processor/main.ts',
  partner: 'simulators/partner/main.ts',
  'kyc-provider': 'simulators/kyc-provider/main.ts',
  inbox: 'simulators/inbox/main.ts',
  api: 'api/main.ts',
  worker: 'worker/main.ts',
  codec: 'temporal/codec-server.ts',
};

/** In which order children end, and by when; together the 15 s of operations 1. */
export const stopStages: readonly StopStage[] = [
  { names: simulatorNames, endedByMs: 2_000 },
  { names: ['api'], endedByMs: 7_000 },
  { names: ['worker'], endedByMs: 11_000 },
  { names: ['codec'], endedByMs: 12_000 },
  { names: ['temporal'], endedByMs: 13_500 },
  { names: ['postgres'], endedByMs: 14_800 },
];

/** The embedded database. A crashed one may refuse its first start until its old processes are gone. */
export const postgresChild = (launch: Launch, superuserUrl: string): ChildSpec => ({
  name: 'postgres',
  args: guarded(launch),
  environment: {},
  ready: () => answersQuery(superuserUrl),
  readyWithinMs: 60_000,
  startAttempts: 5,
});

/** The Temporal development server. */
export const temporalChild = (launch: Launch, stack: Stack): ChildSpec => ({
  name: 'temporal',
  args: guarded(launch),
  environment: { PATH: stack.environment['PATH'], HOME: stack.environment['HOME'] },
  ready: () => isTemporalReady(addressesOf(stack).temporalAddress, stack.values.TEMPORAL_NAMESPACE),
  readyWithinMs: 60_000,
  startAttempts: 2,
});

/** One of the four simulators. */
export function simulatorChild(name: SimulatorName, stack: Stack): ChildSpec {
  const { ports } = stack;
  const health: Record<SimulatorName, string> = {
    processor: `http://127.0.0.1:${ports.SIM_PROCESSOR_PORT}/health`,
    partner: `http://127.0.0.1:${ports.SIM_CONTROL_PORT}/control/health`,
    'kyc-provider': `http://127.0.0.1:${ports.SIM_KYC_PORT}/health`,
    inbox: `http://127.0.0.1:${ports.SIM_INBOX_PORT}/health`,
  };
  return ownChild(name, stack, simulatorEnvironment(stack), health[name]);
}

/** API, worker or codec server. */
export function roleChild(name: RoleName, stack: Stack): ChildSpec {
  const { ports } = stack;
  const health: Record<RoleName, string> = {
    api: `http://127.0.0.1:${ports.PUBLIC_PORT}/health/ready`,
    worker: `http://127.0.0.1:${ports.WORKER_METRICS_PORT}/health/ready`,
    codec: `http://127.0.0.1:${ports.CODEC_PORT}/health/live`,
  };
  return ownChild(name, stack, platformEnvironment(stack), health[name]);
}

const ownChild = (
  name: SimulatorName | RoleName,
  stack: Stack,
  environment: ChildSpec['environment'],
  healthUrl: string,
): ChildSpec => ({
  name,
  args: [join(stack.projectDir, entries[name])],
  environment,
  ready: () => answersOk(healthUrl),
  readyWithinMs: 60_000,
  startAttempts: 1,
});

async function answersOk(url: string): Promise<boolean> {
  try {
    // Not fetch: it refuses some ports by number, 10080 (PUBLIC_PORT with offset 2000) among them.
    const { statusCode, body } = await request(url, { signal: AbortSignal.timeout(2_000) });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}
