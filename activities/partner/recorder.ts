import type { EndedAttempt } from '../../db/deliveries.ts';

/** Collects attempts and stores them together: one commit for many instead of one each. */
export interface AttemptRecorder {
  add(attempt: EndedAttempt): void;
  /** Resolves when everything added so far is stored. Throws what storing threw, once. */
  flush(): Promise<void>;
}

const MOST_AT_ONCE = 100;
const LONGEST_WAIT_MS = 50;

/** Stores with `store` every 100 attempts or 50 ms, whichever comes first (partner-integrations 12). */
export function createAttemptRecorder(
  store: (attempts: readonly EndedAttempt[]) => Promise<void>,
): AttemptRecorder {
  let collected: EndedAttempt[] = [];
  let timer: NodeJS.Timeout | undefined;
  let storing: Promise<void> = Promise.resolve();
  let fault: Error | null = null;

  function storeCollected(): void {
    clearTimeout(timer);
    timer = undefined;
    const attempts = collected;
    collected = [];
    if (attempts.length === 0) return;
    storing = storing
      .then(() => (fault === null ? store(attempts) : undefined))
      .catch((error: unknown) => void (fault = asError(error)));
  }

  return {
    add(attempt) {
      collected.push(attempt);
      if (collected.length >= MOST_AT_ONCE) storeCollected();
      else timer ??= setTimeout(storeCollected, LONGEST_WAIT_MS);
    },
    async flush() {
      storeCollected();
      await storing;
      if (fault !== null) throw fault;
    },
  };
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error('storing failed'));
