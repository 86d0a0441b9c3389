import { type DestinationStream, type Logger, pino } from 'pino';

const BUFFER_BYTES = 8 * 1024;
const FLUSH_MS = 100;

/** Log lines of this process: JSON, or readable on a terminal. */
export function createLogger(
  service: string,
  options: { readonly level: string; readonly format: 'json' | 'pretty' },
): Logger {
  const settings = {
    level: options.level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
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
  };
  return options.format === 'pretty'
    ? pino({ ...settings, transport: { target: 'pino-pretty' } })
    : pino(settings, bufferedOutput());
}

/**
 * Standard output by the buffer instead of by the line: a write of its own for each request costs more than all
 * checks of the request. What is buffered is a tenth of a second old at most, and leaves when the process ends.
 */
function bufferedOutput(): DestinationStream {
  const output = pino.destination({ dest: 1, sync: true, minLength: BUFFER_BYTES });
  setInterval(() => output.flush(), FLUSH_MS).unref();
  process.once('exit', () => output.flushSync());
  return output;
}
