import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createSmsClient } from '../../activities/messaging/client.ts';
import { startInbox } from '../../simulators/inbox/start.ts';

it('sends a text message that the inbox shows', async () => {
  const inbox = await startInbox({ logger: pino({ level: 'silent' }) });
  const outcome = await createSmsClient({ smsUrl: inbox.smsUrl }).send({ to: '48123456789', text: 'Hello' });
  expect(outcome).toBe('ACCEPTED');
  const answer = await fetch(`${inbox.url}/messages?to=48123456789`);
  expect(await answer.json()).toMatchObject({ items: [{ kind: 'sms', to: '48123456789', text: 'Hello' }] });
  await inbox.stop();
  const gone = await createSmsClient({ smsUrl: inbox.smsUrl }).send({ to: '48123456789', text: 'Hello' });
  expect(gone).toBe('AWAY');
});

it.each([
  [400, 'REFUSED'],
  [429, 'AWAY'],
  [503, 'AWAY'],
])('calls an answer of %i %s', async (status, outcome) => {
  const gateway = createServer((_request, response) => void response.writeHead(status).end());
  await new Promise<void>((resolve) => void gateway.listen(0, '127.0.0.1', resolve));
  const { port } = gateway.address() as AddressInfo;
  const client = createSmsClient({ smsUrl: `http://127.0.0.1:${port}/sms` });
  expect(await client.send({ to: '48123456789', text: 'Hello' })).toBe(outcome);
  gateway.closeAllConnections();
  gateway.close();
});
