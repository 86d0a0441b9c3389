import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  anAppUser,
  APP_PIN,
  asUser,
  codeTo,
  enter,
  moveClock,
  PASSWORD,
  somebody,
} from '../support/app-users.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
}, 120_000);
afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const MANY = 100;
const titles = (answers: readonly HttpAnswer[]): Record<string, number> =>
  Object.fromEntries(
    [...Map.groupBy(answers, ({ status, body }) => `${status} ${body?.title ?? ''}`)].map(
      ([title, group]) => [title, group.length],
    ),
  );
const many = (send: (index: number) => Promise<HttpAnswer>): Promise<HttpAnswer[]> =>
  Promise.all(Array.from({ length: MANY }, (_none, index) => send(index)));

const signIn = (deviceInstallationId: string, proof: object) =>
  enter(api, 'POST', '/sessions', { deviceInstallationId, ...proof });
const byPin = (id: string, appPin: string) => signIn(id, { method: 'APP_PIN', appPin });
const byPassword = (id: string, password: string) => signIn(id, { method: 'PASSWORD', password });
const deviceState = async (id: string): Promise<string | undefined> =>
  (
    await api.owner
      .selectFrom('device_installations')
      .select('state')
      .where('installation_id', '=', id)
      .executeTakeFirst()
  )?.state;

/** Sends a request and breaks the connection as soon as the guess has been counted. */
async function sendAndBreakOff(path: string, body: object, counted: () => Promise<boolean>): Promise<void> {
  const text = JSON.stringify(body);
  const socket = await api.connect('public');
  socket.on('error', () => undefined);
  socket.write(
    `POST /customers${path} HTTP/1.1\r\nHost: localhost\r\nIssuer-Code: sandbox\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
  for (let tries = 0; !(await counted()); tries += 1) {
    if (tries > 500) throw new Error('the guess was never counted');
    await sleep(2);
  }
  socket.destroy();
}

const inARow = async (guarded: string): Promise<number> =>
  (
    await api.owner
      .selectFrom('guess_guards')
      .select('in_a_row')
      .where('guarded', '=', guarded)
      .executeTakeFirst()
  )?.in_a_row ?? 0;

it('every try leaves a trail, also one that has to wait', async () => {
  const user = await anAppUser(api);
  const trailOf = async (answer: HttpAnswer) =>
    await api.owner
      .selectFrom('audit_log')
      .select(['action', 'object_type', 'result'])
      .where('request_id', '=', answer.headers['x-request-id'] as string)
      .execute();
  const failed = { action: 'sign_in.failed', object_type: 'guard', result: 'DENIED' };
  for (let at = 0; at < 5; at += 1) {
    expect(await trailOf(await byPassword(user.installationId, 'not the one at all'))).toEqual([failed]);
  }
  const waits = await byPassword(user.installationId, PASSWORD);
  expect([waits.status, await trailOf(waits)]).toEqual([429, [failed]]);
  const wrong = { body: { method: 'APP_PIN', appPin: '111111' } };
  const inside = await asUser(api, user.token, 'POST', '/me/step-up', wrong);
  expect((await trailOf(inside)).map((row) => row.action)).toEqual(['sign_in.failed', 'call.refused']);
});

describe('app PIN', () => {
  it('stops after 5 of 100 guesses at once: the installation is locked, its sessions end', async () => {
    const user = await anAppUser(api);
    const answers = await many((index) => byPin(user.installationId, String(100_000 + index)));
    const told = titles(answers);
    expect(told['401 INVALID_CREDENTIALS']).toBe(5);
    expect(told['201 '] ?? 0).toBe(0);
    expect((told['429 TOO_MANY_ATTEMPTS'] ?? 0) + (told['403 DEVICE_NOT_ACTIVE'] ?? 0)).toBe(MANY - 5);
    expect(await deviceState(user.installationId)).toBe('LOCKED');
    const late = await byPin(user.installationId, APP_PIN);
    expect([late.status, late.body.title]).toEqual([403, 'DEVICE_NOT_ACTIVE']);
    expect((await asUser(api, user.token, 'GET', '/me')).status).toBe(401);
  });

  it('answers an id that nobody has in the same way to the end', async () => {
    const user = await anAppUser(api);
    const told = async (id: string) => {
      const answers = [];
      for (let at = 0; at < 7; at += 1) answers.push((await byPin(id, '111111')).body.title);
      return answers;
    };
    expect(await told(randomUUID())).toEqual(await told(user.installationId));
  });

  it('counts a guess whose connection breaks before the verdict', async () => {
    const user = await anAppUser(api);
    const guarded = `device:${user.installationId}`;
    const body = { deviceInstallationId: user.installationId, method: 'APP_PIN', appPin: '111111' };
    for (let at = 1; at <= 4; at += 1) {
      await sendAndBreakOff('/sessions', body, async () => (await inARow(guarded)) >= at);
    }
    expect(await inARow(guarded)).toBe(4);
    expect((await byPin(user.installationId, '111112')).body.title).toBe('INVALID_CREDENTIALS');
    expect((await byPin(user.installationId, APP_PIN)).body.title).toBe('DEVICE_NOT_ACTIVE');
  });

  it('locks when the process died between the count of the fifth and its verdict', async () => {
    const user = await anAppUser(api);
    for (let at = 0; at < 4; at += 1) await byPin(user.installationId, '111111');
    // What a process leaves that is killed there: the charge is committed, nothing settled it.
    const now = new Date();
    await api.owner
      .updateTable('guess_guards')
      .set({ in_a_row: 5, blocked_until: new Date(now.getTime() + 1_000_000_000), closed: false })
      .where('guarded', '=', `device:${user.installationId}`)
      .execute();
    expect((await byPin(user.installationId, APP_PIN)).body.title).toBe('TOO_MANY_ATTEMPTS');
    await api.owner
      .updateTable('guess_guards')
      .set({ blocked_until: new Date(now.getTime() - 1_000_000_000) })
      .where('guarded', '=', `device:${user.installationId}`)
      .execute();
    expect((await byPin(user.installationId, APP_PIN)).body.title).toBe('DEVICE_NOT_ACTIVE');
    expect(await deviceState(user.installationId)).toBe('LOCKED');
  });

  it('starts the row anew after a right one; a step-up counts too', async () => {
    const user = await anAppUser(api);
    for (let at = 0; at < 4; at += 1) await byPin(user.installationId, '111111');
    expect((await byPin(user.installationId, APP_PIN)).status).toBe(201);
    for (let at = 0; at < 5; at += 1) {
      const body = { method: 'APP_PIN', appPin: '111111' };
      await asUser(api, user.token, 'POST', '/me/step-up', { body });
    }
    expect(await deviceState(user.installationId)).toBe('LOCKED');
  });
});

describe('password', () => {
  it('stops after 5 of 100 guesses at once, for half an hour', async () => {
    const user = await anAppUser(api);
    const answers = await many((index) => byPassword(user.installationId, `wrong password ${index}`));
    expect(titles(answers)).toEqual({ '401 INVALID_CREDENTIALS': 5, '429 TOO_MANY_ATTEMPTS': MANY - 5 });
    const blocked = await byPassword(user.installationId, PASSWORD);
    expect(blocked.status).toBe(429);
    expect(Number(blocked.headers['retry-after'])).toBeGreaterThan(1_700);
    await moveClock(api.owner, 30 * 60 + 1);
    expect((await byPassword(user.installationId, PASSWORD)).status).toBe(201);
  });

  it('ends with the tenth wrong one in 24 hours, until somebody resets it', async () => {
    const user = await anAppUser(api);
    for (let at = 0; at < 5; at += 1) await byPassword(user.installationId, 'wrong password');
    await moveClock(api.owner, 30 * 60 + 1);
    for (let at = 0; at < 5; at += 1) await byPassword(user.installationId, 'wrong password');
    await moveClock(api.owner, 48 * 60 * 60);
    const closed = await byPassword(user.installationId, PASSWORD);
    expect([closed.status, closed.body.title]).toEqual([429, 'TOO_MANY_ATTEMPTS']);
  });

  it('counts a guess whose connection breaks before the verdict', async () => {
    const user = await anAppUser(api);
    const guarded = `password:user:${user.customerId}`;
    const body = { deviceInstallationId: user.installationId, method: 'PASSWORD', password: 'wrong one' };
    for (let at = 1; at <= 5; at += 1) {
      await sendAndBreakOff('/sessions', body, async () => (await inARow(guarded)) >= at);
    }
    expect((await byPassword(user.installationId, PASSWORD)).body.title).toBe('TOO_MANY_ATTEMPTS');
  });
});

describe('one-time code', () => {
  async function begin(): Promise<{ path: string; phone: string; id: string }> {
    const person = somebody();
    const { body } = await enter(api, 'POST', '/registrations', { ...person, termsVersion: '1' });
    const id = body.registrationId as string;
    return { path: `/registrations/${id}/confirm`, phone: person.phone, id };
  }

  /** How many codes have died of guesses so far. */
  const killedCodes = async (): Promise<number> =>
    (await api.owner.selectFrom('address_guards').select('killed_at').execute()).flatMap(
      (one) => one.killed_at,
    ).length;

  const wrongCodes = (right: string): string[] =>
    Array.from({ length: MANY }, (_none, index) => String(200_000 + index)).filter((one) => one !== right);

  it('stops after 5 of 100 guesses at once: the object is dead, also for the right code', async () => {
    const { path, phone } = await begin();
    const right = codeTo(api, phone);
    const answers = await Promise.all(wrongCodes(right).map((otp) => enter(api, 'POST', path, { otp })));
    expect(titles(answers)).toEqual({
      '401 INVALID_CODE': 5,
      '404 REGISTRATION_NOT_FOUND': answers.length - 5,
    });
    const killed = await api.owner
      .selectFrom('one_time_codes')
      .select(['tries', 'killed_at'])
      .where('code_id', '=', path.split('/')[2] ?? '')
      .executeTakeFirstOrThrow();
    expect(killed).toEqual({ tries: 5, killed_at: expect.any(Date) });
    const again = path.replace('/confirm', '/otp');
    for (const late of [await enter(api, 'POST', path, { otp: right }), await enter(api, 'POST', again)]) {
      expect([late.status, late.body.title]).toEqual([404, 'REGISTRATION_NOT_FOUND']);
    }
    expect(await killedCodes()).toBe(1);
  });

  it('takes the right code at the fifth try, which then kills nothing', async () => {
    const { path, phone } = await begin();
    const right = codeTo(api, phone);
    for (const otp of wrongCodes(right).slice(0, 4)) await enter(api, 'POST', path, { otp });
    const before = await killedCodes();
    expect((await enter(api, 'POST', path, { otp: right })).status).toBe(201);
    expect(await killedCodes()).toBe(before);
    expect((await enter(api, 'POST', path, { otp: right })).body.title).toBe('REGISTRATION_NOT_FOUND');
  });

  it('counts a guess whose connection breaks before the verdict', async () => {
    const { path, phone, id } = await begin();
    const right = codeTo(api, phone);
    const tries = async () =>
      (
        await api.owner
          .selectFrom('one_time_codes')
          .select('tries')
          .where('code_id', '=', id)
          .executeTakeFirstOrThrow()
      ).tries;
    for (const [at, otp] of wrongCodes(right).slice(0, 5).entries()) {
      await sendAndBreakOff(path, { otp }, async () => (await tries()) > at);
    }
    expect((await enter(api, 'POST', path, { otp: right })).body.title).toBe('REGISTRATION_NOT_FOUND');
  });

  it('is good for five minutes; a new one ends the old, three times, a minute apart', async () => {
    const { path, phone } = await begin();
    const first = codeTo(api, phone);
    const again = path.replace('/confirm', '/otp');
    const early = await enter(api, 'POST', again);
    expect([early.status, early.body.title]).toEqual([429, 'TOO_MANY_REQUESTS']);
    await moveClock(api.owner, 61);
    expect((await enter(api, 'POST', again)).status).toBe(204);
    const second = codeTo(api, phone);
    if (first !== second) {
      expect((await enter(api, 'POST', path, { otp: first })).body.title).toBe('INVALID_CODE');
    }
    await moveClock(api.owner, 5 * 60 + 1);
    expect((await enter(api, 'POST', path, { otp: second })).body.title).toBe('INVALID_CODE');
    expect((await enter(api, 'POST', again)).status).toBe(204);
    expect((await enter(api, 'POST', path, { otp: codeTo(api, phone) })).status).toBe(201);
  });

  it('goes to one number three times in a quarter of an hour, whoever asks', async () => {
    const { phone } = somebody();
    const ask = () => enter(api, 'POST', '/activations', { phone, birthDate: '1990-01-01' });
    const answers = [await ask(), await ask(), await ask(), await ask()];
    expect(answers.map((one) => one.status)).toEqual([201, 201, 201, 429]);
  });
});
