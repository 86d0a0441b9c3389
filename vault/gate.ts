/** Lets a few pieces of work run at once, queues some, and turns the rest away. */
export interface Gate {
  run<T>(work: () => Promise<T>): Promise<T | 'OVERLOADED'>;
}

interface Limits {
  readonly atOnce: number;
  readonly waiting: number;
}

/** A gate in memory; first come, first served. */
export function createGate({ atOnce, waiting }: Limits): Gate {
  const queue: (() => void)[] = [];
  let running = 0;

  async function enter(): Promise<void> {
    if (running < atOnce) running += 1;
    // Whoever leaves hands its place on, so `running` does not change here.
    else await new Promise<void>((resolve) => queue.push(resolve));
  }

  function leave(): void {
    const next = queue.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  return {
    async run(work) {
      if (running >= atOnce && queue.length >= waiting) return 'OVERLOADED';
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
