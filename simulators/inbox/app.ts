import { Hono } from 'hono';
import { z } from 'zod';
import type { Logger } from 'pino';
import type { Messages } from './messages.ts';
import { renderPage } from './page.ts';

const MAX_BODY_BYTES = 64 * 1024;

const smsBody = z.strictObject({ to: z.string().min(1).max(64), text: z.string().min(1).max(2_000) });

/** HTTP side of the inbox: text messages come in, everything is read back, and a page for people. */
export function createApp(messages: Messages, logger: Logger): Hono {
  const app = new Hono();

  app.get('/health', (c) => c.json({ status: 'UP' }));

  app.post('/sms', async (c) => {
    if (!(c.req.header('content-type') ?? '').toLowerCase().startsWith('application/json')) {
      return c.json({ title: 'UNSUPPORTED_MEDIA_TYPE', detail: 'The body must be application/json.' }, 415);
    }
    const body = await c.req.arrayBuffer();
    if (body.byteLength > MAX_BODY_BYTES) {
      return c.json({ title: 'PAYLOAD_TOO_LARGE', detail: 'The body is larger than 64 kB.' }, 413);
    }
    const parsed = smsBody.safeParse(parseOrNull(new TextDecoder().decode(body)));
    if (!parsed.success) {
      const errors = parsed.error.issues.flatMap(fieldErrors);
      const detail = errors.length === 1 ? '1 field is invalid.' : `${errors.length} fields are invalid.`;
      return c.json({ title: 'VALIDATION_ERROR', detail, errors }, 400);
    }
    const { id } = messages.add({ kind: 'sms', from: null, subject: null, ...parsed.data });
    logger.info({ id }, 'a text message came in');
    return c.json({ id }, 202);
  });

  app.get('/messages', (c) => c.json({ items: messages.list(c.req.query('to') ?? null) }));

  app.delete('/messages', (c) => {
    messages.clear();
    return c.body(null, 204);
  });

  app.get('/', (c) => {
    const to = c.req.query('to') || null;
    c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'");
    c.header('cache-control', 'no-store');
    c.header('x-content-type-options', 'nosniff');
    return c.html(renderPage(messages.list(to), to));
  });

  app.notFound((c) => c.json({ title: 'NOT_FOUND', detail: 'There is no such call.' }, 404));
  app.onError((error, c) => {
    logger.error({ err: error }, 'a call failed');
    return c.json({ title: 'INTERNAL_ERROR', detail: 'The simulator failed.' }, 500);
  });
  return app;
}

function fieldErrors(issue: z.core.$ZodIssue): { field: string; message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: key, message: 'is not known' }));
  }
  return [{ field: issue.path.join('.') || 'body', message: issue.message }];
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
