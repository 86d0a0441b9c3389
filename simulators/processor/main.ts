import { pino } from 'pino';
import { describeFaults, readConfig } from './config.ts';
import { startProcessorSimulator } from './start.ts';

/** The processor simulator as a program: settings from the environment, ends on SIGTERM, SIGINT, lost parent. */
async function main(): Promise<void> {
  const outcome = readConfig();
  if ('faults' in outcome) {
    process.stderr.write(`${describeFaults(outcome.faults)}\n`);
    process.exit(78);
  }
  const { logLevel, ...config } = outcome.config;
  const logger = pino({ level: logLevel, base: { program: 'processor-simulator' } });
  const simulator = await startProcessorSimulator({ ...config, logger }).catch((error: unknown) => {
    logger.fatal({ err: error }, 'the simulator cannot start');
    process.exit(isBusy(error) ? 75 : 1);
  });
  logger.info({ controlUrl: simulator.controlUrl, contractUrl: simulator.contractUrl }, 'ready');
  process.send?.({ ready: true });

  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    simulator.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('disconnect', end);
}

const SQLITE_BUSY = 5;

/** A port that is taken, or a store that another simulator holds. */
function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    ('code' in error && error.code === 'EADDRINUSE') || ('errcode' in error && error.errcode === SQLITE_BUSY)
  );
}

await main();
