/** Everything the inbox simulator takes from its environment (operations 3). */
export interface InboxConfig {
  readonly host: string;
  readonly httpPort: number;
  readonly smtpPort: number;
  readonly logLevel: string;
}

export type ConfigOutcome =
  { readonly config: InboxConfig } | { readonly faults: readonly { name: string; fault: string }[] };

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];

/** Reads the environment once; all faults come back together (the program prints them and exits 78). */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): ConfigOutcome {
  const faults: { name: string; fault: string }[] = [];
  const port = (name: string, fallback: number): number => {
    const value = environment[name] || String(fallback);
    if (!/^[0-9]{1,5}$/.test(value) || Number(value) < 1 || Number(value) > 65_535) {
      faults.push({ name, fault: 'must be a whole number from 1 to 65535' });
    }
    return Number(value);
  };
  if (environment['NODE_ENV'] === 'production' && environment['SIM_ALLOW'] !== 'true') {
    const fault = 'must be true: simulators do not start in production mode without it';
    faults.push({ name: 'SIM_ALLOW', fault });
  }
  const logLevel = environment['LOG_LEVEL'] || 'info';
  if (!LOG_LEVELS.includes(logLevel)) {
    faults.push({ name: 'LOG_LEVEL', fault: `must be one of ${LOG_LEVELS.join(', ')}` });
  }
  const config = {
    host: environment['SIM_HOST'] || '127.0.0.1',
    httpPort: port('SIM_INBOX_PORT', 8093),
    smtpPort: port('SIM_INBOX_SMTP_PORT', 8092),
    logLevel,
  };
  return faults.length > 0 ? { faults } : { config };
}

/** The block that is printed before exit 78. */
export function describeFaults(faults: readonly { name: string; fault: string }[]): string {
  const width = Math.max(...faults.map((one) => one.name.length));
  const lines = faults.map((one) => `  ${one.name.padEnd(width)}  ${one.fault}`);
  return [`configuration: ${faults.length} fault${faults.length === 1 ? '' : 's'}`, ...lines].join('\n');
}
