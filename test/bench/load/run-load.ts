import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadResult } from './job.ts';

export interface LoadGenerator {
  readonly pid: number;
  run(job: LoadJob): Promise<LoadResult>;
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
    async run(job) {
      const answered = once(child, 'message') as Promise<[LoadResult]>;
      child.send(job);
      const [result] = await Promise.race([answered, died]);
      return result;
    },
    stop: () => void child.disconnect(),
  };
}
