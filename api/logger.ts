import { type Logger, pino } from 'pino';

/** Log lines of this process: JSON, or readable on a terminal. */
export function createLogger(
  service: string,
  options: { readonly level: string; readonly format: 'json' | 'pretty' },
): Logger {
  return pino({
    level: options.level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // Second net: no field of these names is ever printed.
    redact: {
      paths: [
        'authorization',
        'cookie',
        'publicKey',
        'payload',
        'pan',
        'cvc2',
        'pin',
        'otp',
        'password',
        'token',
        '*.payload',
        '*.pan',
      ],
      remove: true,
    },
    ...(options.format === 'pretty' ? { transport: { target: 'pino-pretty' } } : {}),
  });
}
