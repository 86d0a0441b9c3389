import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandIo } from '../command.ts';
import { dataDirOf, readStartSettings } from '../config.ts';
import { startLocalStack } from '../local-stack.ts';
import { lockHolder } from '../run-lock.ts';
import { type Quickstart, readQuickstart } from '../quickstart.ts';
import { stopSignal } from '../stop-signal.ts';
import type { Supervisor } from '../supervisor.ts';

export interface StackInUse {
  readonly quickstart: Quickstart;
  /** Stops what was started for this run; a stack that ran before goes on. */
  release(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const POLL_MS = 200;

/** The running stack, one that is just starting, or one of our own until `release`. */
export async function useStack(io: CommandIo): Promise<StackInUse> {
  const { values } = readStartSettings(io.environment);
  const dataDir = dataDirOf(values, io.projectDir);
  const deadlineMs = Date.now() + READY_WITHIN_MS;
  while (lockHolder(dataDir) !== null && Date.now() < deadlineMs) {
    const quickstart = readQuickstart(dataDir);
    if (quickstart !== null) return { quickstart, release: async () => undefined };
    await sleep(POLL_MS);
  }
  return await startOwn(io);
}

async function startOwn(io: CommandIo): Promise<StackInUse> {
  let supervisor: Supervisor | null = null;
  const stop = stopSignal(() => supervisor?.killAll());
  io.err('nothing runs here: starting a stack for this demo');
  const stack = await startLocalStack({
    io,
    say: io.err,
    signal: stop.signal,
    onSupervisor: (one) => {
      supervisor = one;
    },
  });
  // Ctrl-C in the middle of the story.
  stop.signal.addEventListener('abort', () => void stack.stop().then(() => process.exit(1)));
  return { quickstart: stack.quickstart, release: stack.stop };
}
