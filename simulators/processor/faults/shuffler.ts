import type { Draws } from '../draws.ts';

/** Holds messages until a window is full, then lets them go in an order drawn from the seed. */
export interface Shuffler {
  /** Resolves when it is this message's turn; the returned function lets the next one go. */
  enter(window: number, waitMs: number): Promise<() => void>;
  stop(): void;
}

interface Waiting {
  readonly go: (next: () => void) => void;
}

/** A shuffler; a message goes after the one before it is done, so that the drawn order is the order of arrival. */
export function createShuffler(draws: Draws): Shuffler {
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | null = null;

  function release(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const order = shuffled(waiting, draws);
    waiting = [];
    const next = (): void => order.shift()?.go(next);
    next();
  }

  return {
    enter: (window, waitMs) =>
      new Promise((resolve) => {
        waiting.push({ go: resolve });
        if (waiting.length >= window) release();
        else timer ??= setTimeout(release, waitMs);
      }),
    stop: () => {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** Fisher and Yates; two in the same order as before would be no disturbance, so those are swapped. */
function shuffled<T>(items: readonly T[], draws: Draws): T[] {
  const order = [...items];
  const draw = draws.next('fault');
  if (order.length === 2) return order.reverse();
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(draw.fraction(`order:${last}`) * (last + 1));
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}
