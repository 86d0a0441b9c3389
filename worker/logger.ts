import { type Logger as TemporalLogger, type LogLevel, type LogMetadata } from '@temporalio/worker';
import { type Logger, pino } from 'pino';

/** Log lines of the worker: JSON, or readable on a terminal. */
export const createLogger = (options: {
  readonly level: string;
  readonly format: 'json' | 'pretty';
}): Logger =>
  pino({
    level: options.level,
    base: { service: 'worker' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    ...(options.format === 'pretty' ? { transport: { target: 'pino-pretty' } } : {}),
  });

/** Not told: failed activities, of which our own line says more, and what is so on purpose. */
const LEFT_OUT = new Set(['Activity failed', 'No workflows registered, not polling for workflow tasks']);
/** Of what the SDK adds to a line, only these: the rest may hold failures with data. */
const KEPT = ['workflowType', 'workflowId', 'runId', 'activityType', 'taskQueue', 'attempt', 'stage'];

/** Temporal's lines through ours: closed fields only, because errors may carry data. */
export function temporalLogger(logger: Logger): TemporalLogger {
  const write = (level: LogLevel, message: string, meta?: LogMetadata): void => {
    if (LEFT_OUT.has(message)) return;
    const fields: Record<string, unknown> = {};
    for (const name of KEPT) if (meta?.[name] !== undefined) fields[name] = meta[name];
    const error = meta?.['error'];
    if (error instanceof Error) fields['fault'] = error.name;
    logger[level.toLowerCase() as Lowercase<LogLevel>](fields, message);
  };
  return {
    log: write,
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
}
