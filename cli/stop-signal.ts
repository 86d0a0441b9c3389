import { exitCode } from './exit-code.ts';

export interface StopSignal {
  /** Aborted with the first Ctrl-C, SIGTERM, SIGHUP, or the end of the process that started us. */
  readonly signal: AbortSignal;
  /** Resolves at the same moment. */
  readonly asked: Promise<void>;
}

/** Listens for the wish to stop. A second Ctrl-C calls `killAll` and ends this process at once with 130. */
export function stopSignal(killAll: () => void): StopSignal {
  const controller = new AbortController();
  const asked = new Promise<void>((resolve) => controller.signal.addEventListener('abort', () => resolve()));
  process.on('SIGINT', () => {
    if (controller.signal.aborted) {
      killAll();
      process.exit(exitCode.interrupted);
    }
    controller.abort();
  });
  for (const event of ['SIGTERM', 'SIGHUP', 'disconnect']) process.on(event, () => controller.abort());
  return { signal: controller.signal, asked };
}
