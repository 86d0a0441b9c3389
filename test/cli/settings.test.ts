import { expect, test } from 'vitest';
import { readStartSettings } from '../../cli/config.ts';
import { readConfiguration } from '../../cli/configuration.ts';
import { describeFaults } from '../../domain/settings.ts';

const faultsOf = (environment: Record<string, string>) => readStartSettings(environment).faults;

test('an empty environment is a correct one', () => {
  expect(faultsOf({})).toEqual([]);
});

test('two equal ports are a fault that names both settings', () => {
  expect(faultsOf({ CERT_PORT: '8080' })).toEqual([{ name: 'CERT_PORT', fault: '8080 is also PUBLIC_PORT' }]);
});

test('one half of a TLS pair is a fault of the missing half', () => {
  expect(faultsOf({ PUBLIC_TLS_CERT: 'a.pem' })).toEqual([
    { name: 'PUBLIC_TLS_KEY', fault: 'missing (PUBLIC_TLS_CERT is set)' },
  ]);
});

test('a database of one’s own needs all three connections', () => {
  expect(faultsOf({ DATABASE_URL: 'postgres://x' }).map((one) => one.name)).toEqual([
    'DATABASE_ENGINE_URL',
    'DATABASE_OWNER_URL',
  ]);
});

test('an offset that pushes a port out of range is a fault of that port', () => {
  expect(faultsOf({ CARDLOOM_PORT_OFFSET: '20000' })).toEqual([
    { name: 'EMBEDDED_PG_PORT', fault: 'is above 65535 with CARDLOOM_PORT_OFFSET' },
  ]);
});

test('all faults come in one block', () => {
  const faults = faultsOf({ PUBLIC_PORT: 'x', CERT_PORT: '9090', TEMPORAL_UI_URL: 'nowhere' });
  expect(describeFaults(faults).split('\n')).toEqual([
    'configuration: 3 faults',
    '  PUBLIC_PORT      must be a whole number from 1 to 65535',
    '  TEMPORAL_UI_URL  must be an address that starts with http:// or https://',
    '  METRICS_PORT     9090 is also CERT_PORT',
  ]);
});

test('a secret is shown as asterisks and an unknown CARDLOOM_ name is a warning', async () => {
  const configuration = await readConfiguration(
    { SIMULATOR_TOKEN: 'token-of-mine', CARDLOOM_PROT_OFFSET: '1', CARDLOOM_PORT_OFFSET: '100' },
    '/nonexistent',
  );
  const shown = Object.fromEntries(configuration.settings.map((one) => [one.name, one]));
  expect(shown['SIMULATOR_TOKEN']).toMatchObject({ value: '***', source: 'environment' });
  expect(shown['PUBLIC_PORT']).toMatchObject({ value: '8180', source: 'default' });
  expect(configuration.warnings).toEqual(['CARDLOOM_PROT_OFFSET is not a setting of Cardloom']);
});
