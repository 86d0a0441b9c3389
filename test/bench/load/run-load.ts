import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type LoadJob, type LoadResult, START } from './job.ts';

export interface LoadGenerator {
  readonly pid: number;
  /** `opened` is called when all connections stand, before the first request. */
  run(job: LoadJob, opened?: () => void): Promise<LoadResult>;
  stop(): void;
}

/** Starts the process that makes the load. */
export function startLoadGenerator(): LoadGenerator {
  const child: ChildProcess = fork(fileURLToPath(new URL('generator.ts', import.meta.url)));
  const died = new Promise<never>((_resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the load generator ended with code ${code}`)));
  });
  died.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    async run(job, opened) {
      const next = async (message: unknown): Promise<unknown> => {
        const answered = once(child, 'message');
        child.send(message as LoadJob);
        return (await Promise.race([answered, died]))[0];
      };
      await next(job);
      opened?.();
      return (await next(START)) as LoadResult;
    },
    stop: () => void child.disconnect(),
  };
}
