import { resolve } from 'node:path';
import { z } from 'zod';
import type { KycProviderOptions } from './provider.ts';

export interface Config {
  readonly options: KycProviderOptions;
  readonly logLevel: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const settings = z.object({
  NODE_ENV: z.string().optional(),
  SIM_ALLOW: z.enum(['true', 'false']).default('false'),
  SIM_KYC_PORT: z.coerce.number().int().min(1).max(65_535).default(8091),
  SIM_KYC_API_KEY: z.string().optional(),
  SIM_KYC_WEBHOOK_SECRET: z.string({ error: 'missing' }),
  SIM_KYC_DELAY_MS: z.coerce.number().int().min(0).max(3_600_000).default(2_000),
  SIM_KYC_STORE: z.string().optional(),
  SIM_KYC_SEED: z.string().optional(),
  SIMULATOR_TOKEN: z.string().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

/** Reads the settings of the simulator; all faults come back together, one line each. */
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
      port: values.SIM_KYC_PORT,
      apiKey: values.SIM_KYC_API_KEY ?? null,
      webhookSecret: values.SIM_KYC_WEBHOOK_SECRET,
      token: values.SIMULATOR_TOKEN ?? null,
      delayMs: values.SIM_KYC_DELAY_MS,
      storeFile: values.SIM_KYC_STORE === undefined ? null : resolve(values.SIM_KYC_STORE),
      seed: values.SIM_KYC_SEED ?? null,
    },
  };
}
