import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Hono } from 'hono';
import { Refusal } from '../domain/errors.ts';
import { countReads } from './rate-limits.ts';
import { factsOf } from './request-facts.ts';
import type { Services } from './services.ts';

const assets = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const SCRIPT = 'text/javascript; charset=UTF-8';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Cardloom API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="api"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null });\n`;

const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

interface DocsFile {
  readonly type: string;
  readonly read: () => Promise<string | Uint8Array<ArrayBuffer>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `/openapi.json` and a page at `/docs` whose every file comes from this process. */
export function mountDocs(
  app: Hono,
  services: Pick<Services, 'rates' | 'isTrustedProxy'>,
  description: object,
): void {
  const text = JSON.stringify(description);
  const files: Readonly<Record<string, DocsFile>> = {
    '/openapi.json': { type: 'application/json; charset=UTF-8', read: async () => text },
    '/docs': {
      type: 'text/html; charset=UTF-8',
      read: async () => PAGE,
      headers: { 'Content-Security-Policy': POLICY },
    },
    '/docs/start.js': { type: SCRIPT, read: async () => START },
    '/docs/swagger-ui.css': asset('swagger-ui.css', 'text/css; charset=UTF-8'),
    '/docs/swagger-ui-bundle.js': asset('swagger-ui-bundle.js', SCRIPT),
  };
  for (const [path, { type, read, headers }] of Object.entries(files)) {
    app.get(path, countReads(services), async (context) => {
      const content = await read();
      const facts = factsOf(context);
      facts.route = `GET ${path}`;
      facts.bytes = Buffer.byteLength(content);
      return context.body(content, 200, { 'Content-Type': type, ...headers });
    });
    app.all(path, () => {
      throw new Refusal('METHOD_NOT_ALLOWED', 'This path does not take that method.', { allow: ['GET'] });
    });
  }
}

const asset = (name: string, type: string): DocsFile => ({
  type,
  read: async () => new Uint8Array(await readFile(join(assets, name))),
  headers: { 'Cache-Control': 'max-age=86400' },
});
