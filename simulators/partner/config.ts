import { resolve } from 'node:path';
import { z } from 'zod';
import { parseAuthentication } from './authentication.ts';
import { parseModes } from './modes.ts';
import type { PartnerSimOptions } from './simulator.ts';

export interface Config {
  readonly options: PartnerSimOptions;
  readonly logLevel: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const port = (fallback: number) => z.coerce.number().int().min(1).max(65_535).default(fallback);
const whole = (fallback: number) => z.coerce.number().int().min(0).default(fallback);

const settings = z.object({
  NODE_ENV: z.string().optional(),
  SIM_ALLOW: z.enum(['true', 'false']).default('false'),
  SIM_PORT: port(9443),
  SIM_CONTROL_PORT: port(9444),
  SIMULATOR_TOKEN: z.string().optional(),
  SIM_CONTROL_TOKEN: z.string().optional(),
  SIM_TLS: z.enum(['on', 'off']).default('on'),
  SIM_STORE: z
    .string()
    .regex(/^(memory|sqlite:.+)$/, 'must be memory or sqlite:<file>')
    .default('memory'),
  SIM_MODE: z
    .string()
    .refine((text) => parseModes(text) !== null, 'names no mode of this version')
    .default('reference'),
  SIM_AUTH: z
    .string()
    .default('mtls')
    .transform((text, context) => {
      const authentication = parseAuthentication(text);
      if (authentication !== null) return authentication;
      context.addIssue({ code: 'custom', message: 'must be mtls, basic:user:password, both or none' });
      return z.NEVER;
    }),
  SIM_CA_DIR: z.string().default('./sim-ca'),
  SIM_USERS: z
    .string()
    .regex(/^(auto|[^,\s]+(,[^,\s]+)*)$/, 'must be auto or a comma list of user ids')
    .default('auto')
    .transform((text) => (text === 'auto' ? ('auto' as const) : text.split(','))),
  SIM_JWE: z.enum(['required', 'accept-both']).default('required'),
  SIM_MAX_RESENDS: whole(5),
  SIM_OVERDRAFT_MINOR: whole(0),
  SIM_SEED: whole(1),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

/** Reads the settings of transaction-history 9.1; all faults come back together, one line each. */
export function readConfig(environment: Environment = process.env): Config | { readonly faults: string[] } {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const read = settings.safeParse(set);
  if (!read.success) {
    return { faults: read.error.issues.map((issue) => `${issue.path.join('.')}  ${issue.message}`) };
  }
  const values = read.data;
  if (values.NODE_ENV === 'production' && values.SIM_ALLOW !== 'true') {
    return { faults: ['SIM_ALLOW  must be true to run a simulator in production mode'] };
  }
  return {
    logLevel: values.LOG_LEVEL,
    options: {
      port: values.SIM_PORT,
      controlPort: values.SIM_CONTROL_PORT,
      token: values.SIMULATOR_TOKEN ?? values.SIM_CONTROL_TOKEN ?? null,
      tls: values.SIM_TLS === 'on',
      storeFile: values.SIM_STORE === 'memory' ? null : resolve(values.SIM_STORE.slice('sqlite:'.length)),
      mode: { mode: values.SIM_MODE },
      authentication: values.SIM_AUTH,
      caFolder: resolve(values.SIM_CA_DIR),
      users: values.SIM_USERS,
      jwe: values.SIM_JWE,
      maxResends: values.SIM_MAX_RESENDS,
      overdraftMinorUnits: values.SIM_OVERDRAFT_MINOR,
      seed: values.SIM_SEED,
    },
  };
}
