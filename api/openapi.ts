import { OpenApiGeneratorV31, OpenAPIRegistry, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import type { ZodObject } from 'zod';
import { type RefusalCode } from '../domain/errors.ts';
import type { MountedRoute } from './mount.ts';
import { statusOfCode } from './errors.ts';
import type { ChannelName, Route } from './route.ts';
import { envelope, z } from './schemas/shared.ts';

const errorSchema = z
  .strictObject({
    title: z.string(),
    detail: z.string(),
    errors: z.array(z.strictObject({ field: z.string(), message: z.string() })).optional(),
  })
  .openapi('Error');

const EVERYWHERE: readonly RefusalCode[] = ['VALIDATION_ERROR', 'INTERNAL_ERROR', 'SERVICE_UNAVAILABLE'];
const WITH_CERTIFICATE: readonly RefusalCode[] = [
  'CERTIFICATE_NOT_TRUSTED',
  'FORBIDDEN',
  'PARTNER_SUSPENDED',
  'IP_NOT_ALLOWED',
];
const WITH_SESSION: readonly RefusalCode[] = [
  'UNAUTHENTICATED',
  'SESSION_EXPIRED',
  'FORBIDDEN',
  'CSRF_FAILED',
  'IP_NOT_ALLOWED',
];
const WITH_TOKEN: readonly RefusalCode[] = ['UNAUTHENTICATED', 'SESSION_EXPIRED', 'PARTNER_SUSPENDED'];
const WITH_PROGRAMME: readonly RefusalCode[] = ['ISSUER_CODE_REQUIRED', 'ISSUER_CODE_NOT_ALLOWED'];
const WITH_BODY: readonly RefusalCode[] = ['MALFORMED_JSON', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
const WITH_JWE: readonly RefusalCode[] = [
  'ENCRYPTION_REQUIRED',
  'INVALID_PUBLIC_KEY',
  'INVALID_PAYLOAD',
  'CANT_DECRYPT_PAYLOAD',
];
const WITH_KEY: readonly RefusalCode[] = ['IDEMPOTENCY_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED'];

/** The OpenAPI 3.1 description of everything that is mounted; there is no other list of routes. */
export function describeApi(mounted: readonly MountedRoute[], version: string): object {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'clientCertificate', { type: 'mutualTLS' });
  registry.registerComponent('securitySchemes', 'operatorSession', { type: 'http', scheme: 'bearer' });
  registry.registerComponent('securitySchemes', 'userSession', { type: 'http', scheme: 'bearer' });
  registry.registerComponent('securitySchemes', 'applicationToken', { type: 'http', scheme: 'bearer' });
  for (const one of mounted) {
    const { route } = one;
    const paths = [{ method: route.method, path: route.path }, ...(route.aliases ?? [])];
    for (const [index, alias] of paths.entries()) {
      registry.registerPath({
        ...describeRoute(one),
        method: (alias.method ?? route.method).toLowerCase() as RouteConfig['method'],
        path: one.prefix + alias.path,
        operationId: index === 0 ? route.operation : `${route.operation}Alias${index}`,
        request: describeRequest(one, alias.path),
      });
    }
  }
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Cardloom',
      version,
      description:
        'Card issuing and core banking. `/customers`, `/admin`, `/kyb`, `/health`, `/webhooks` and `/public-key` are on the public listener; ' +
        '`/secure`, `/lifecycle` and `/processor` on the certificate listener.',
    },
  });
}

type Identity = 'nobody' | 'certificate' | 'operator' | 'user' | 'application';

const SECURITY: Readonly<Record<Identity, Pick<RouteConfig, 'security'>>> = {
  nobody: {},
  certificate: { security: [{ clientCertificate: [] }] },
  operator: { security: [{ operatorSession: [] }] },
  user: { security: [{ userSession: [] }] },
  application: { security: [{ applicationToken: [] }] },
};

const IDENTITY_REFUSALS: Readonly<Record<Identity, readonly RefusalCode[]>> = {
  nobody: [],
  certificate: WITH_CERTIFICATE,
  operator: WITH_SESSION,
  user: WITH_TOKEN,
  application: WITH_TOKEN,
};

function identityOf(channel: ChannelName, route: Route): Identity {
  if (channel === 'admin') return route.role === 'nobody-asked' ? 'nobody' : 'operator';
  if (channel === 'customers') return 'user';
  if (channel === 'kyb') return 'application';
  return channel === 'public' || channel === 'entry' ? 'nobody' : 'certificate';
}

function describeRoute({ channel, route }: MountedRoute): Omit<RouteConfig, 'method' | 'path' | 'request'> {
  return {
    tags: [channel],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...SECURITY[identityOf(channel, route)],
    responses: { ...describeRefusals(channel, route), ...describeAnswers(route) },
  };
}

function describeRequest(
  { channel, route }: MountedRoute,
  path: string,
): NonNullable<RouteConfig['request']> {
  const headers: Record<string, z.ZodType> = {};
  if (namesProgramme(channel, route)) {
    const code = z.string().regex(/^[A-Za-z0-9_-]{1,32}$/);
    headers['Issuer-Code'] = channel === 'secure' ? code.optional() : code;
  }
  if (route.idempotency !== 'ignored') {
    const key = z.string().min(1).max(255);
    headers['X-Idempotency-Key'] = route.idempotency === 'required' ? key : key.optional();
  }
  if (route.jwe !== 'none') {
    headers['Encrypted-Request'] = z.enum(['true', 'false']).optional();
    headers['Encrypt-Response'] = z.enum(['true', 'false']).optional();
    headers['Public-Key'] = z.string().optional();
  }
  const params = objectOf(route.params);
  return {
    ...(params === undefined ? {} : { params: onlyInPath(params, path) }),
    ...(route.query === undefined ? {} : { query: route.query as ZodObject }),
    ...(Object.keys(headers).length === 0 ? {} : { headers: z.object(headers) }),
    ...(route.body === undefined
      ? {}
      : {
          body: {
            content: { [route.contentType ?? 'application/json']: { schema: route.body } },
            required: true,
          },
        }),
  };
}

const namesProgramme = (channel: ChannelName, route: Route): boolean =>
  channel === 'entry' ||
  ((channel === 'secure' || channel === 'lifecycle' || channel === 'public') && route.owner !== 'none');

// A parameter that only some of a route's paths have is optional in its schema, required in those paths.
function onlyInPath(params: ZodObject, path: string): ZodObject {
  const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
  const shape = Object.entries(params.shape).filter(([name]) => named.includes(name));
  return z.object(
    Object.fromEntries(shape.map(([name, one]) => [name, one instanceof z.ZodOptional ? one.unwrap() : one])),
  ) as ZodObject;
}

function objectOf(schema: Route['params']): ZodObject | undefined {
  if (schema === undefined) return undefined;
  return schema instanceof z.ZodPipe ? (schema.in as ZodObject) : (schema as ZodObject);
}

function describeAnswers(route: Route): RouteConfig['responses'] {
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, { description, schema }]) => [
      status,
      schema === undefined
        ? { description }
        : { description, content: { 'application/json': { schema: bodyOf(route, schema) } } },
    ]),
  );
}

const bodyOf = (route: Route, schema: z.ZodType): z.ZodType => {
  if (route.jwe === 'none') return schema;
  return route.jwe === 'open' ? z.union([schema, envelope]) : envelope;
};

// The processor is bounded by how many of its calls run at once (channels 14).
const isCounted = (channel: ChannelName, route: Route): boolean =>
  channel !== 'processor' && route.uncounted !== true;

function describeRefusals(channel: ChannelName, route: Route): RouteConfig['responses'] {
  const codes = [
    ...EVERYWHERE,
    ...IDENTITY_REFUSALS[identityOf(channel, route)],
    ...(isCounted(channel, route) ? (['TOO_MANY_REQUESTS'] as const) : []),
    ...(namesProgramme(channel, route) ? WITH_PROGRAMME : []),
    ...(route.body === undefined ? [] : WITH_BODY),
    ...(route.jwe === 'none' ? [] : WITH_JWE),
    ...(route.idempotency === 'ignored' ? [] : WITH_KEY),
    ...route.refusals,
  ];
  const byStatus = Map.groupBy([...new Set(codes)], statusOfCode);
  return Object.fromEntries(
    [...byStatus].map(([status, titles]) => [
      String(status),
      { description: titles.join(', '), content: { 'application/json': { schema: errorSchema } } },
    ]),
  );
}
