/**
 * Waits `ms` milliseconds or until one of the signals aborts, whatever is first. Returns the signal that ended
 * the wait, null when the time did.
 */
export function wait(ms: number, signals: readonly AbortSignal[]): Promise<AbortSignal | null> {
  const aborted = signals.find((signal) => signal.aborted);
  if (aborted !== undefined) return Promise.resolve(aborted);
  return new Promise((resolve) => {
    const listeners = signals.map((signal) => ({ signal, listener: () => end(signal) }));
    const timer = setTimeout(() => end(null), ms);
    function end(by: AbortSignal | null): void {
      clearTimeout(timer);
      for (const { signal, listener } of listeners) signal.removeEventListener('abort', listener);
      resolve(by);
    }
    for (const { signal, listener } of listeners) signal.addEventListener('abort', listener, { once: true });
  });
}
