import { readFileSync } from 'node:fs';
import { serve } from '@hono/node-server';
import { pino } from 'pino';
import { describeFaults, type SettingFault } from '../domain/settings.ts';
import { createCodecApp } from './codec-app.ts';
import { checkTemporalSettings, readCodecConfig } from './config.ts';
import { createPayloadCodec } from './payload-codec.ts';

const CONFIGURATION = 78;
const read = readCodecConfig((path) => readFileSync(path, 'utf8'));
const config = read.values;
const faults: SettingFault[] = read.faults.length > 0 ? [...read.faults] : checkTemporalSettings(config);
if (faults.length === 0 && config.NODE_ENV === 'production') {
  // Whoever decodes must be an operator with a session, and every decode audited (operations 10.2).
  faults.push({
    name: 'NODE_ENV',
    fault: 'the codec server needs operator sessions, which are not built yet',
  });
}
const keys = config.TEMPORAL_PAYLOAD_KEYS;
if (faults.length > 0 || keys === null) {
  process.stderr.write(`${describeFaults(faults)}\n`);
  process.exit(CONFIGURATION);
}

const logger = pino({
  level: config.LOG_LEVEL,
  base: { service: 'codec' },
  timestamp: pino.stdTimeFunctions.isoTime,
});
const namespace = config.TEMPORAL_NAMESPACE;
const codec = createPayloadCodec({ keys, namespace, refusePlain: false });
const app = createCodecApp({
  codecOf: (asked) => (asked === namespace ? codec : null),
  defaultNamespace: namespace,
  allowedOrigin: config.CODEC_ALLOWED_ORIGIN ?? config.TEMPORAL_UI_URL,
});
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: config.CODEC_PORT }, () =>
  logger.info({ port: config.CODEC_PORT }, 'ready'),
);
server.once('error', (error: NodeJS.ErrnoException) => {
  logger.fatal({ code: error.code }, 'the codec server cannot listen');
  process.exit(1);
});

const stop = (): void => {
  server.close(() => process.exit(0));
  if ('closeAllConnections' in server) server.closeAllConnections();
};
for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(event, stop);
