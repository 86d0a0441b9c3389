import { connect } from 'node:net';
import { createTransport } from 'nodemailer';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../simulators/inbox/config.ts';
import { readMail } from '../../simulators/inbox/mail.ts';
import { createMessages } from '../../simulators/inbox/messages.ts';
import { startInbox } from '../../simulators/inbox/start.ts';
import type { Inbox } from '../../simulators/inbox/start.ts';

let inbox: Inbox;
beforeAll(async () => {
  inbox = await startInbox({ logger: pino({ level: 'silent' }) });
});
afterEach(() => fetch(`${inbox.url}/messages`, { method: 'DELETE' }));
afterAll(() => inbox.stop());

async function list(to?: string): Promise<Record<string, unknown>[]> {
  const query = to === undefined ? '' : `?to=${encodeURIComponent(to)}`;
  const answer = await fetch(`${inbox.url}/messages${query}`);
  return ((await answer.json()) as { items: Record<string, unknown>[] }).items;
}

const sms = (body: unknown, contentType = 'application/json') =>
  fetch(inbox.smsUrl, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('mail', () => {
  it('takes a mail over SMTP and shows one message per recipient, decoded', async () => {
    const transport = createTransport(inbox.smtpUrl);
    await transport.sendMail({
      from: 'Cardloom <no-reply@demo.test>',
      to: ['ada@demo.test', 'Zoë <zoe@demo.test>'],
      subject: 'Weryfikacja zakończona: żółw 🐢',
      text: 'Kod: 123456\nZażółć gęślą jaźń',
      html: '<p>Kod: <b>123456</b></p>',
    });
    transport.close();
    expect(await list()).toHaveLength(2);
    const [message] = await list('ADA@demo.test');
    expect(message).toMatchObject({
      kind: 'mail',
      to: 'ada@demo.test',
      from: 'no-reply@demo.test',
      subject: 'Weryfikacja zakończona: żółw 🐢',
      text: 'Kod: 123456\nZażółć gęślą jaźń',
    });
  });

  it.each([
    ['plain', 'Subject: Hi\r\n\r\nBody\r\n', { subject: 'Hi', text: 'Body' }],
    ['no subject', 'From: a\r\n\r\nBody', { subject: null, text: 'Body' }],
    ['no body', 'Subject: Hi\r\n', { subject: 'Hi', text: '' }],
    ['empty', '', { subject: null, text: '' }],
    [
      'folded words',
      'Subject: =?utf-8?Q?a_=C5=BC?=\r\n =?iso-8859-2?B?vw==?=\r\n\r\n',
      { subject: 'a żż', text: '' },
    ],
    [
      'quoted-printable',
      'Content-Transfer-Encoding: quoted-printable\r\n\r\nlong =\r\nline =C4=85',
      { subject: null, text: 'long line ą' },
    ],
    [
      'html only, attachment left out',
      'Content-Type: multipart/mixed; boundary=b\r\n\r\nnote\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nfile\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--b--\r\nrest',
      { subject: null, text: '<p>x</p>' },
    ],
    [
      'unknown charset',
      'Content-Type: text/plain; charset=none-such\r\n\r\nBody',
      { subject: null, text: 'Body' },
    ],
  ])('reads %s', (_, raw, expected) => {
    expect(readMail(Buffer.from(raw))).toEqual(expected);
  });

  it('survives a client that talks nonsense and goes away', async () => {
    const socket = connect(Number(new URL(inbox.smtpUrl).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.write('NONSENSE\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    expect((await sms({ to: '48600100231', text: 'still here' })).status).toBe(202);
  });
});

describe('text messages', () => {
  it('keeps them newest first and filters by recipient', async () => {
    await sms({ to: '48600100231', text: 'first' });
    await sms({ to: '48600100232', text: 'other' });
    await sms({ to: '48600100231', text: 'second' });
    expect((await list('48600100231')).map((one) => one['text'])).toEqual(['second', 'first']);
    expect((await list())[0]).toMatchObject({ kind: 'sms', subject: null, from: null });
    expect((await fetch(`${inbox.url}/messages`, { method: 'DELETE' })).status).toBe(204);
    expect(await list()).toEqual([]);
  });

  it('refuses what is not a text message', async () => {
    const bad = await sms({ to: 1, colour: 'red' });
    expect(bad.status).toBe(400);
    const { errors } = (await bad.json()) as { errors: { field: string }[] };
    expect(errors.map((one) => one.field).sort()).toEqual(['colour', 'text', 'to']);
    expect((await sms('{')).status).toBe(400);
    expect((await sms('to=1', 'text/plain')).status).toBe(415);
    expect((await sms({ to: '1', text: 'x'.repeat(70_000) })).status).toBe(413);
    expect(await list()).toEqual([]);
  });

  it('drops the oldest above the limit', () => {
    const messages = createMessages(3);
    for (const text of ['1', '2', '3', '4', '5'])
      messages.add({ kind: 'sms', to: 'a', from: null, subject: null, text });
    expect(messages.list(null).map((one) => one.text)).toEqual(['5', '4', '3']);
  });
});

describe('page', () => {
  it('shows messages escaped, without any script', async () => {
    await sms({ to: '48600100231', text: '<script>alert("1")</script>' });
    const answer = await fetch(`${inbox.url}/?to=48600100231`);
    const html = await answer.text();
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;');
    expect(html).not.toContain('<script');
    expect(await (await fetch(`${inbox.url}/?to=%22%3E%3Cb%3E`)).text()).toContain(
      'value="&quot;&gt;&lt;b&gt;"',
    );
    expect(await (await fetch(`${inbox.url}/health`)).json()).toEqual({ status: 'UP' });
  });
});

describe('configuration', () => {
  it('lists every fault, and refuses production mode unless allowed', () => {
    const outcome = readConfig({ NODE_ENV: 'production', SIM_INBOX_PORT: '0', SIM_INBOX_SMTP_PORT: 'x' });
    const names = 'faults' in outcome ? outcome.faults.map((one) => one.name) : [];
    expect(names).toEqual(['SIM_ALLOW', 'SIM_INBOX_PORT', 'SIM_INBOX_SMTP_PORT']);
    expect(readConfig({ NODE_ENV: 'production', SIM_ALLOW: 'true' })).toHaveProperty('config');
  });
});
