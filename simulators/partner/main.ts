import { pino } from 'pino';
import { readConfig } from './config.ts';
import { startPartnerSim } from './simulator.ts';

const badSetting = 2;
const config = readConfig();
if ('faults' in config) {
  const count = config.faults.length;
  process.stderr.write(`configuration: ${count} fault${count === 1 ? '' : 's'}\n`);
  for (const fault of config.faults) process.stderr.write(`  ${fault}\n`);
  process.exit(badSetting);
}

const logger = pino({ name: 'partner-simulator', level: config.logLevel });
try {
  const simulator = await startPartnerSim({
    ...config.options,
    onFault: (error) => logger.error({ err: error }, 'request failed'),
  });
  logger.info({ url: simulator.url, controlUrl: simulator.controlUrl }, 'partner simulator started');
  const end = (): void => {
    simulator.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(event, end);
} catch (error) {
  logger.fatal({ err: error }, 'partner simulator did not start');
  process.exit(1);
}
