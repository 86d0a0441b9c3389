/** Lets so many calls run at once; the others wait in order. */
export interface Slots {
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Slots of one connection in this process (partner-integrations 7.3, `maxConcurrency`). */
export function createSlots(atOnce: number): Slots {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async run(work) {
      if (running < atOnce) running += 1;
      // Whoever ends hands its place on, so `running` does not change.
      else await new Promise<void>((go) => waiting.push(go));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}
