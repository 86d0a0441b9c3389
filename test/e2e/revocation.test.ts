import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { eventually } from '../../cli/demo/patience.ts';
import { readQuickstart } from '../../cli/quickstart.ts';
import { runCardloom } from './cardloom.ts';

const environment = inject('stackEnvironment');
const EFFECTIVE_WITHIN_MS = 5_000;

// The IBAN service's certificate: nothing else in this layer calls with it.
describe('cardloom revoke', () => {
  let agent: Agent;
  let url: string;

  const call = async (): Promise<string> => {
    try {
      const { statusCode, body } = await request(url, { dispatcher: agent });
      const { title } = (await body.json()) as { title: string };
      return `${statusCode} ${title}`;
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    }
  };

  beforeAll(() => {
    const dataDir = inject('stackDataDir');
    const quickstart = readQuickstart(dataDir);
    if (quickstart === null) throw new Error('no stack runs');
    const read = (name: string) => readFileSync(join(dataDir, 'certs', name), 'utf8');
    agent = new Agent({
      connections: 1,
      connect: { ca: read('ca.pem'), cert: read('ims.crt'), key: read('ims.key') },
    });
    url = `${quickstart.certificateUrl}/secure/partner-balances`;
  });
  afterAll(() => agent.destroy());

  it('shuts a certificate out within 5 s, also on an open connection', async () => {
    expect(await call()).toBe('403 FORBIDDEN');
    const { output } = await runCardloom(['certificates', '--json'], environment);
    const { items } = JSON.parse(output) as { items: { label: string; serial: string }[] };
    const serial = items.find((one) => one.label === 'ims')?.serial ?? '';
    const args = ['revoke', '--serial', serial, '--reason', 'KEY_COMPROMISE'];
    expect(await runCardloom(args, environment)).toMatchObject({ code: 0 });
    const trusted = '403 FORBIDDEN';
    const answer = await eventually(
      'the call',
      'refused',
      call,
      (one) => one !== trusted,
      EFFECTIVE_WITHIN_MS,
    );
    expect(['401 CERTIFICATE_NOT_TRUSTED', 'UND_ERR_SOCKET', 'ECONNRESET']).toContain(answer);
    expect(await call()).toBe('401 CERTIFICATE_NOT_TRUSTED');
  });

  it('shows the certificate as revoked from then on, and revokes nothing twice', async () => {
    const listed = await runCardloom(['certificates'], environment);
    expect(listed.output).toMatch(/ims +REVOKED/);
    const serial = /ims +REVOKED.* ([0-9a-f]+)$/m.exec(listed.output)?.[1] ?? '';
    const again = await runCardloom(['revoke', '--serial', serial, '--reason', 'SUPERSEDED'], environment);
    expect(again).toMatchObject({ code: 1, output: '' });
  });
});
