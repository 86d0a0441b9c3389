import { join } from 'node:path';
import type { Environment } from '../domain/settings.ts';
import { addressesOf, simulatorFolder, simulatorToken, type Stack } from './stack.ts';

/**
 * The environment of API, worker and codec server: what the person set wins over what the start works out,
 * except the ports, which already hold CARDLOOM_PORT_OFFSET.
 */
export function platformEnvironment(stack: Stack): Environment {
  const { ports, certificates, dataDir, secrets } = stack;
  const at = addressesOf(stack);
  const outbound = certificates.of.outbound;
  const workedOut: Record<string, string> = {
    NODE_ENV: stack.values.NODE_ENV,
    CARDLOOM_DEV: 'true',
    SANDBOX: 'true',
    // A drain that fits into the 15 s in which `npm start` stops.
    SHUTDOWN_SECONDS: '4',
    WORKER_GRACE_SECONDS: '3',
    PUBLIC_URL: at.publicUrl,
    CERT_URL: at.certificateUrl,
    CERT_TLS_CERT: certificates.of.server.certificate,
    CERT_TLS_KEY: certificates.of.server.key,
    CERT_CLIENT_CA: certificates.ca,
    CA_CHAIN: certificates.ca,
    CA_KEY: certificates.caKey,
    TEMPORAL_ADDRESS: at.temporalAddress,
    TEMPORAL_NAMESPACE: stack.values.TEMPORAL_NAMESPACE,
    TEMPORAL_UI_URL: at.temporalUiUrl,
    CODEC_ALLOWED_ORIGIN: at.temporalUiUrl,
    TEMPORAL_PAYLOAD_KEYS_FILE: stack.keys.temporalKeys,
    KEK_PROVIDER: 'local',
    DOCUMENT_STORE: `file:${join(dataDir, 'documents')}`,
    AUDIT_ANCHOR_URL: `file:${join(dataDir, 'anchors')}`,
    SMTP_URL: at.smtpUrl,
    MAIL_FROM: 'cardloom@localhost',
    SMS_URL: `${at.inboxUrl}/sms`,
    PROCESSOR_URL: at.processorContractUrl,
    PROCESSOR_CERT: outbound.certificate,
    PROCESSOR_KEY: outbound.key,
    PROCESSOR_CA: certificates.ca,
    PARTNER_URL: at.partnerUrl,
    KYC_PROVIDERS: JSON.stringify([
      {
        code: 'simulator',
        url: at.kycProviderUrl,
        apiKey: secrets.kycApiKey,
        webhookSecrets: [secrets.kycWebhookSecret],
      },
    ]),
    SIMULATOR_TOKEN: simulatorToken(stack),
  };
  return {
    ...workedOut,
    ...withoutOtherForm(workedOut, setOnly(stack.environment)),
    ...portEnvironment(ports),
    CARDLOOM_DATA_DIR: dataDir,
    CARDLOOM_PORT_OFFSET: undefined,
    SIM_PROCESSOR_KEYS: stack.environment['SIM_PROCESSOR_KEYS'] || stack.keys.processorKeys,
    DATABASE_URL: stack.database.app,
    DATABASE_ENGINE_URL: stack.database.engine,
    // Migrations only: API and worker must not be able to become the owner.
    DATABASE_OWNER_URL: undefined,
    DATABASE_URL_FILE: undefined,
    DATABASE_ENGINE_URL_FILE: undefined,
    DATABASE_OWNER_URL_FILE: undefined,
  };
}

const OUR_NAMES =
  /^(NODE_ENV|SANDBOX|CVC2_EXPIRY_ORDER|ALLOW_SOFTWARE_HSM|EMBEDDED_PG_PORT|(DATABASE|DB|TEMPORAL|CARDLOOM|SIM|SIMULATOR|PUBLIC|CERT|METRICS|WORKER|CODEC|KEK|PROCESSOR|PARTNER|KYC|SMTP|SMS|MAIL|OPERATOR|PANEL|AUTH|ADMISSION|OUTBOUND|DOCUMENT|AUDIT|IDEMPOTENCY|LOG|SHUTDOWN)_[A-Z0-9_]+)$/;

/**
 * What commands of an operator need: the platform's settings and the owner's connection. It is written to a
 * file, so nothing else of the person's shell may be in it.
 */
export const operatorEnvironment = (stack: Stack): Environment => ({
  ...Object.fromEntries(Object.entries(platformEnvironment(stack)).filter(([name]) => OUR_NAMES.test(name))),
  DATABASE_OWNER_URL: stack.database.owner,
});

/** The environment of the simulators: they know nothing of the platform but its address and certificates. */
export function simulatorEnvironment(stack: Stack): Environment {
  const { ports, certificates, secrets, dataDir, environment } = stack;
  const at = addressesOf(stack);
  const store = simulatorFolder(dataDir);
  const processor = certificates.of['processor-server'];
  const client = certificates.of.processor;
  const workedOut = {
    NODE_ENV: stack.values.NODE_ENV,
    SIM_PROCESSOR_TLS_CERT: processor.certificate,
    SIM_PROCESSOR_TLS_KEY: processor.key,
    SIM_PROCESSOR_TLS_CA: certificates.ca,
    SIM_PROCESSOR_STORE: store,
    SIM_PROCESSOR_KEYS: stack.keys.processorKeys,
    SIM_PLATFORM_URL: at.certificateUrl,
    SIM_PLATFORM_CERT: client.certificate,
    SIM_PLATFORM_KEY: client.key,
    SIM_PLATFORM_CA: certificates.ca,
    // Scenarios play the partner too: they open balances and read them.
    SIM_SCENARIO_CERT: certificates.of.demo.certificate,
    SIM_SCENARIO_KEY: certificates.of.demo.key,
    SIM_PARTNER_CONTROL_URL: at.partnerControlUrl,
    SIM_CA_DIR: join(dataDir, 'partner-ca'),
    SIM_STORE: `sqlite:${join(store, 'partner.sqlite')}`,
    SIM_KYC_API_KEY: secrets.kycApiKey,
    SIM_KYC_WEBHOOK_SECRET: secrets.kycWebhookSecret,
    SIM_KYC_STORE: join(store, 'kyc-provider.sqlite'),
  };
  const passedOn = Object.entries(environment).filter(
    ([name]) =>
      /^(PATH|HOME|TMPDIR|TZ|LANG|LC_ALL|LOG_LEVEL|LOG_FORMAT|NODE_ENV)$/.test(name) ||
      name.startsWith('SIM_'),
  );
  return {
    ...workedOut,
    ...setOnly(Object.fromEntries(passedOn)),
    ...portEnvironment(ports),
    SIMULATOR_TOKEN: simulatorToken(stack),
  };
}

const portEnvironment = (ports: Stack['ports']): Record<string, string> =>
  Object.fromEntries(Object.entries(ports).map(([name, number]) => [name, String(number)]));

/** Empty counts as unset (operations 3). */
const setOnly = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value));

/** A secret is given as text or by file, never both: what the person set takes the other form away. */
function withoutOtherForm(workedOut: Record<string, string>, given: Environment): Environment {
  const otherForm = (name: string) =>
    name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : `${name}_FILE`;
  const taken = Object.keys(workedOut).filter((name) => given[otherForm(name)] && !given[name]);
  return { ...given, ...Object.fromEntries(taken.map((name) => [name, undefined])) };
}
