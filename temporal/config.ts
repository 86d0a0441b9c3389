import {
  boolean,
  oneOf,
  port,
  type ReadSettings,
  readSettings,
  type Setting,
  type SettingFault,
  text,
  url,
  type ValuesOf,
} from '../domain/settings.ts';
import { type PayloadKeys, parsePayloadKeys } from './payload-keys.ts';

const payloadKeys: Setting<PayloadKeys | null> = {
  ...(text('keys that encrypt payloads: {"current","keys"} as JSON', {
    required: 'in-production',
    secret: true,
  }) as Setting<never>),
  parse: (value) => {
    const parsed = parsePayloadKeys(value);
    return parsed === null
      ? { fault: 'must be JSON {"current":"<id>","keys":{"<id>":"<base64 of 32 bytes>"}}' }
      : { value: parsed };
  },
};

const uiUrl = { default: 'http://localhost:8233', required: 'in-production' } as const;

/** Settings of every process that talks to Temporal (operations 3). */
export const temporalSettings = {
  TEMPORAL_ADDRESS: text('host:port of the Temporal server', {
    default: '127.0.0.1:7233',
    required: 'in-production',
  }),
  TEMPORAL_NAMESPACE: text('namespace', { default: 'cardloom' }),
  TEMPORAL_TLS: boolean('TLS to the server; files or a key below switch it on too', { default: 'false' }),
  TEMPORAL_TLS_CLIENT_CERT_PATH: text('client certificate file'),
  TEMPORAL_TLS_CLIENT_KEY_PATH: text('its key file'),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: text('authority of the server'),
  TEMPORAL_TLS_SERVER_NAME: text('host name expected in the certificate of the server'),
  TEMPORAL_API_KEY: text('API key', { secret: true }),
  TEMPORAL_PAYLOAD_KEYS: payloadKeys,
  TEMPORAL_UI_URL: url('address of the Temporal UI, for links', uiUrl),
};

export type TemporalSettings = ValuesOf<typeof temporalSettings>;

/** Settings of the codec server beside `temporalSettings`. */
export const codecSettings = {
  NODE_ENV: oneOf('kind of run', ['development', 'test', 'production'], { default: 'development' }),
  LOG_LEVEL: oneOf('least level logged', ['trace', 'debug', 'info', 'warn', 'error'], { default: 'info' }),
  CODEC_PORT: port('codec server', { default: '8234' }),
  CODEC_ALLOWED_ORIGIN: url('origin of the Temporal UI; TEMPORAL_UI_URL when unset', {
    required: 'in-production',
  }),
};

const everythingOfCodec = { ...temporalSettings, ...codecSettings };

/** The settings of the codec server, with all faults. */
export const readCodecConfig = (readFile: (path: string) => string): ReadSettings<typeof everythingOfCodec> =>
  readSettings(everythingOfCodec, process.env, readFile);

/** What single settings cannot tell. */
export function checkTemporalSettings(settings: TemporalSettings): SettingFault[] {
  const faults: SettingFault[] = [];
  if (settings.TEMPORAL_PAYLOAD_KEYS === null) {
    faults.push({ name: 'TEMPORAL_PAYLOAD_KEYS', fault: 'missing (npm start gives it)' });
  }
  const { TEMPORAL_TLS_CLIENT_CERT_PATH: certificate, TEMPORAL_TLS_CLIENT_KEY_PATH: key } = settings;
  if ((certificate === null) !== (key === null)) {
    faults.push({
      name: 'TEMPORAL_TLS_CLIENT_KEY_PATH',
      fault: 'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH go together',
    });
  }
  return faults;
}
