import { Refusal } from '../domain/errors.ts';
import { defect, toErrorAnswer } from './errors.ts';
import type { Written } from './exchange.ts';
import type { RequestFacts } from './request-facts.ts';
import type { Services } from './services.ts';

/** Headers that every answer has; `Cache-Control` unless the route says otherwise (channels 2). */
export const COMMON_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
} as const;

/** The answer to a request that failed: the refusal's own, or that of a defect, which is logged. */
export function failureOf(services: Services, facts: RequestFacts, error: Error): Written {
  if (!(error instanceof Refusal))
    services.logger.error({ requestId: facts.requestId, fault: describe(error) }, 'request failed');
  const answer = toErrorAnswer(error instanceof Refusal ? error : translate(error, facts.requestId));
  const text = JSON.stringify(answer.body);
  facts.bytes = Buffer.byteLength(text);
  const headers = { 'Content-Type': 'application/json; charset=UTF-8', ...answer.headers };
  return { status: answer.status, headers, content: text };
}

const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '57P01',
  '57P03',
  '53300',
  '08006',
  '08001',
  // Locks and statements that took too long, after `atomically` has tried again.
  '40001',
  '40P01',
  '55P03',
  '57014',
]);

/** A database that is away or too busy is not a defect: the caller may send the request again. */
function translate(error: Error, requestId: string): Refusal {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const away =
    UNAVAILABLE.has(code) ||
    /Connection terminated|timeout exceeded when trying to connect/.test(error.message);
  return away
    ? new Refusal('SERVICE_UNAVAILABLE', 'A part of the platform is not available. Send the request again.')
    : defect(requestId);
}

// Messages of the database and of libraries can hold values, so a fault is logged by its kind and place alone.
const describe = (error: Error): Record<string, unknown> => ({
  name: error.name,
  code: 'code' in error ? error.code : undefined,
  at: error.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim()),
});

export interface Outcome {
  readonly status: number;
  readonly durationMs: number;
  readonly ip: string | null;
  readonly error: Error | undefined;
  readonly replayed: boolean;
}

/** One log line and one measurement a request. */
export function finishRequest(
  services: Services,
  listener: string,
  method: string,
  facts: RequestFacts,
  { status, durationMs, ip, error, replayed }: Outcome,
): void {
  const { rate: _told, ...logged } = facts;
  services.metrics.request({ listener, route: facts.route ?? 'none', method, status, durationMs });
  if (error instanceof Refusal && error.options.rate !== undefined) {
    services.metrics.rateLimited(error.options.rate.row);
  }
  services.logger.info(
    {
      listener,
      method,
      ...logged,
      status,
      ip,
      errorTitle: error instanceof Refusal ? error.code : undefined,
      replayed: replayed || undefined,
      durationMs: Math.round(durationMs * 10) / 10,
    },
    'request',
  );
}
