import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { CommandIo } from '../command.ts';
import { createOperatorCommand } from '../operate/create-operator.ts';
import type { Quickstart } from '../quickstart.ts';
import { Difference } from './difference.ts';
import { send } from './http.ts';
import { PATIENCE_MS } from './patience.ts';

/** One operator with an open session that has just given a fresh code. */
export interface OperatorClient {
  readonly email: string;
  call<T>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    request: { readonly body?: object; readonly status: number; readonly answer: z.ZodType<T> },
  ): Promise<T>;
}

/** Operators of the platform, by their e-mail address in quickstart.json. */
export interface Operators {
  signIn(email: string): Promise<OperatorClient>;
  close(): Promise<void>;
}

const loginSchema = z.object({ loginId: z.string() });
const sessionSchema = z.object({ sessionToken: z.string() });
const inboxSchema = z.object({ items: z.array(z.object({ id: z.int(), text: z.string() })) });
const invitedSchema = z.object({ link: z.string() });

/** An address that gets no more mails for now. */
class UsedUp extends Error {}

/** Signs operators in over the wire: password, then the code that the inbox has. */
export function createOperators(quickstart: Quickstart, io: CommandIo): Operators {
  const agent = new Agent();
  const { inboxUrl } = quickstart.simulators;

  async function post(
    path: string,
    body: object,
    token?: string,
  ): Promise<{ status: number; body: unknown }> {
    const answer = await request(`${quickstart.publicUrl}/admin${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      dispatcher: agent,
    });
    const text = await answer.body.text();
    if (answer.statusCode === 429) throw new UsedUp(path);
    return { status: answer.statusCode, body: text === '' ? null : JSON.parse(text) };
  }

  async function expectStatus(path: string, status: number, body: object, token?: string): Promise<unknown> {
    const answer = await post(path, body, token);
    if (answer.status !== status) throw new Difference(`POST /admin${path}`, status, answer.status);
    return answer.body;
  }

  async function mailsTo(email: string): Promise<{ id: number; text: string }[]> {
    const answer = await request(`${inboxUrl}/messages?to=${encodeURIComponent(email)}`, {
      dispatcher: agent,
    });
    return inboxSchema.parse(await answer.body.json()).items;
  }

  /** The code that is mailed because of `ask`. */
  async function codeAfter<T>(email: string, ask: () => Promise<T>): Promise<{ asked: T; code: string }> {
    const last = (await mailsTo(email))[0]?.id ?? 0;
    const asked = await ask();
    for (const untilMs = Date.now() + PATIENCE_MS; Date.now() < untilMs; await sleep(100)) {
      const mail = (await mailsTo(email)).find((one) => one.id > last);
      const code = /^[0-9]{4,8}/.exec(mail?.text ?? '')?.[0];
      if (code !== undefined) return { asked, code };
    }
    throw new Difference('the inbox', `a code for ${email}`, 'none');
  }

  async function open(email: string, password: string): Promise<OperatorClient> {
    const { asked, code } = await codeAfter(email, () => expectStatus('/session', 200, { email, password }));
    const { loginId } = loginSchema.parse(asked);
    const opened = await expectStatus('/session/second-factor', 201, { loginId, code });
    const { sessionToken } = sessionSchema.parse(opened);
    const fresh = await codeAfter(email, () => expectStatus('/session/step-up', 202, {}, sessionToken));
    await expectStatus('/session/step-up', 204, { code: fresh.code }, sessionToken);
    return {
      email,
      async call(method, path, { body, status, answer }) {
        const got = await send(
          {
            method,
            url: `${quickstart.publicUrl}/admin${path}`,
            headers: {
              authorization: `Bearer ${sessionToken}`,
              ...(method === 'GET' ? {} : { 'x-idempotency-key': randomUUID() }),
              ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            },
            ...(body === undefined ? {} : { body }),
            expectedStatus: status,
          },
          agent,
        );
        return answer.parse(got);
      },
    };
  }

  /** Somebody new, for when the codes of an hour are used up: the story may be told as often as one likes. */
  async function invite(): Promise<OperatorClient> {
    const email = `demo.${randomBytes(6).toString('hex')}@demo.test`;
    const password = randomBytes(24).toString('base64url');
    const said: string[] = [];
    const args = ['--email', email, '--role', 'Admin', '--scope', 'PLATFORM'];
    await createOperatorCommand.run(args, { ...io, json: true, out: (line) => void said.push(line) });
    const { link } = invitedSchema.parse(JSON.parse(said.join('\n')));
    const token = new URL(link).searchParams.get('token') ?? '';
    await expectStatus('/invitations/accept', 204, { token, password });
    return await open(email, password);
  }

  return {
    async signIn(email) {
      const known = quickstart.operators.find((one) => one.email === email);
      if (known === undefined) throw new Error(`the demo data has no operator ${email}`);
      try {
        return await open(email, known.password);
      } catch (error) {
        if (!(error instanceof UsedUp)) throw error;
        return await invite();
      }
    },
    close: () => agent.destroy(),
  };
}
