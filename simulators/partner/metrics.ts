export interface OperationFigures {
  readonly answers: Readonly<Record<string, number>>;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** Counts and latencies per operation since the start or the last reset. */
export interface Metrics {
  count(operation: string, answer: string, ms: number): void;
  figures(): Readonly<Record<string, OperationFigures>>;
  clear(): void;
}

const keptLatencies = 1_000;

/** Metrics over the last 1,000 calls of each operation (latencies) and all of them (counts). */
export function createMetrics(): Metrics {
  const operations = new Map<string, { answers: Record<string, number>; latencies: number[] }>();
  return {
    count(operation, answer, ms) {
      const known = operations.get(operation) ?? { answers: {}, latencies: [] };
      operations.set(operation, known);
      known.answers[answer] = (known.answers[answer] ?? 0) + 1;
      known.latencies.push(ms);
      if (known.latencies.length > keptLatencies) known.latencies.shift();
    },
    figures() {
      const result: Record<string, OperationFigures> = {};
      for (const [operation, { answers, latencies }] of operations) {
        const sorted = latencies.toSorted((a, b) => a - b);
        const at = (share: number): number | null => sorted[Math.ceil(sorted.length * share) - 1] ?? null;
        result[operation] = { answers: { ...answers }, p50Ms: at(0.5), p99Ms: at(0.99) };
      }
      return result;
    },
    clear: () => operations.clear(),
  };
}
