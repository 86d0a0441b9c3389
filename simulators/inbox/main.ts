import { pino } from 'pino';
import { describeFaults, readConfig } from './config.ts';
import { startInbox } from './start.ts';

/** The mail and SMS inbox as a program: settings from the environment, ends on SIGTERM, SIGINT, lost parent. */
async function main(): Promise<void> {
  const outcome = readConfig();
  if ('faults' in outcome) {
    process.stderr.write(`${describeFaults(outcome.faults)}\n`);
    process.exit(78);
  }
  const { logLevel, ...config } = outcome.config;
  const logger = pino({ level: logLevel, base: { program: 'inbox-simulator' } });
  const inbox = await startInbox({ ...config, logger }).catch((error: unknown) => {
    logger.fatal({ err: error }, 'the inbox cannot start');
    process.exit(portTaken(error) ? 75 : 1);
  });
  logger.info({ url: inbox.url, smtpUrl: inbox.smtpUrl }, 'ready');
  process.send?.({ ready: true });

  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    inbox.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('disconnect', end);
}

const portTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

await main();
