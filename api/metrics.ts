import { createServer } from 'node:http';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestMetrics } from './services.ts';

const BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];

/** What the API measures (operations 9.1): routes by template, never ids or persons in labels. */
export function createMetrics(version: string): RequestMetrics & { readonly registry: Registry } {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'build_info', help: 'Running release', labelNames: ['role', 'build'], registers }).set(
    { role: 'api', build: version },
    1,
  );
  const labelNames = ['listener', 'route', 'method', 'status'] as const;
  const requests = new Counter({ name: 'http_requests_total', help: 'Requests', labelNames, registers });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the first byte to the answer',
    labelNames,
    buckets: BUCKETS,
    registers,
  });
  const limited = new Counter({
    name: 'rate_limited_total',
    help: 'Requests refused because there were too many',
    labelNames: ['limit'],
    registers,
  });
  const series = new Map<string, { inc(): void; observe(seconds: number): void }>();
  const seriesOf = (labels: Record<(typeof labelNames)[number], string>) => {
    const count = requests.labels(labels);
    const duration = durations.labels(labels);
    return { inc: () => count.inc(), observe: (seconds: number) => duration.observe(seconds) };
  };
  return {
    registry,
    rateLimited: (row) => limited.inc({ limit: row }),
    request: ({ listener, route, method, status, durationMs }) => {
      const key = `${listener} ${route} ${method} ${status}`;
      // The library finds a series by hashing its labels, on every call; there are few of them.
      const known = series.get(key) ?? seriesOf({ listener, route, method, status: String(status) });
      series.set(key, known);
      known.inc();
      known.observe(durationMs / 1_000);
    },
  };
}

/** The metrics listener (channels 1): `GET /metrics` and nothing else. */
export async function listenMetrics(
  registry: Registry,
  address: { readonly host: string; readonly port: number },
): Promise<{ stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'Content-Type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
