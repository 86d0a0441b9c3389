import { pino } from 'pino';
import { readConfig } from './config.ts';
import { startKycProvider } from './provider.ts';

const badConfiguration = 78;
const config = readConfig();
if ('faults' in config) {
  const count = config.faults.length;
  process.stderr.write(`configuration: ${count} fault${count === 1 ? '' : 's'}\n`);
  for (const fault of config.faults) process.stderr.write(`  ${fault}\n`);
  process.exit(badConfiguration);
}

const logger = pino({ name: 'kyc-provider-simulator', level: config.logLevel });
try {
  const provider = await startKycProvider({
    ...config.options,
    onFault: (error) => logger.error({ err: error }, 'request or callback failed'),
  });
  logger.info({ url: provider.url }, 'KYC provider simulator started');
  const end = (): void => {
    provider.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(event, end);
} catch (error) {
  logger.fatal({ err: error }, 'KYC provider simulator did not start');
  process.exit(1);
}
