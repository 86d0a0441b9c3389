import { type Dispatcher, type FormData, request as call } from 'undici';
import { Difference } from './difference.ts';
import { patiently, type Try } from './patience.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly form?: FormData;
  readonly expectedStatus: number;
}

const ATTEMPT_MS = 15_000;

/**
 * Sends a request and gives the JSON of its answer. A process that cannot be reached, is just starting or still
 * works on the same key is asked again with the same bytes for 30 s. Throws a `Difference` when the status is
 * another than expected.
 */
export async function send(request: HttpRequest, dispatcher: Dispatcher): Promise<unknown> {
  const place = `${request.method} ${new URL(request.url).pathname}`;
  return await patiently(place, async () => await sendOnce(request, dispatcher, place));
}

async function sendOnce(request: HttpRequest, dispatcher: Dispatcher, place: string): Promise<Try<unknown>> {
  let status: number;
  let text: string;
  try {
    // Not fetch: it refuses some ports by number.
    const answer = await call(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.form ?? (request.body === undefined ? null : JSON.stringify(request.body)),
      dispatcher,
      signal: AbortSignal.timeout(ATTEMPT_MS),
    });
    status = answer.statusCode;
    text = await answer.body.text();
  } catch (error) {
    return { again: reasonOf(error) };
  }
  const content = parse(text);
  if (status === request.expectedStatus) return { done: content };
  const said = `${status} ${titleOf(content)}`.trimEnd();
  if (isWorthRepeating(status, titleOf(content))) return { again: said };
  throw new Difference(place, String(request.expectedStatus), said);
}

const isWorthRepeating = (status: number, title: string): boolean =>
  [429, 502, 503, 504].includes(status) || (status === 409 && title.startsWith('IDEMPOTENCY_IN_PROGRESS'));

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'no answer';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}

function titleOf(content: unknown): string {
  if (typeof content !== 'object' || content === null) return '';
  const { title, detail } = content as Record<string, unknown>;
  return [title, detail].filter((one) => typeof one === 'string').join(': ');
}

function parse(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
