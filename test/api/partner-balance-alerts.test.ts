import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiHarness, type CallOptions, type HttpAnswer, startApi } from '../support/harness.ts';

let api: ApiHarness;
let balanceId: string;

beforeAll(async () => {
  api = await startApi();
  balanceId = (await api.call('GET', `/secure/partner-balances?kind=credit`)).body.items[0].id;
});

afterAll(async () => {
  await api.stop();
});

const path = (id = balanceId) => `/secure/partner-balances/${id}/alert`;
const put = (body: unknown, options: CallOptions = {}, id = balanceId) =>
  api.call('PUT', path(id), { body, ...options });
const read = async () => (await api.call('GET', `/secure/partner-balances/${balanceId}`)).body.alert;
const result = (answer: HttpAnswer) => [answer.status, answer.body.title];

const ALERT = { threshold: 1_005, emails: ['treasury@demo.test', 'ops@demo.test'], enabled: true };

describe('PUT /secure/partner-balances/{id}/alert', () => {
  it('200: none at first, then the balance with its alert, on every read', async () => {
    expect(await read()).toEqual({});
    const answer = await put(ALERT);
    expect(answer.status).toBe(200);
    const alert = { ...ALERT, rearmLevel: 1_106, state: 'ARMED', firedAt: null };
    expect(answer.body).toMatchObject({ id: balanceId, kind: 'credit', currency: 'EUR', alert });
    expect(await read()).toEqual(alert);
    const listed = await api.call('GET', '/secure/partner-balances');
    const alerts = listed.body.items.map((one: { id: string; alert: object }) => [
      one.id === balanceId,
      one.alert,
    ]);
    expect(alerts).toContainEqual([true, alert]);
    expect(alerts.filter(([mine]: [boolean]) => !mine).map(([, one]: [boolean, object]) => one)).toEqual([
      {},
      {},
      {},
    ]);
  });

  it('200: replaced as a whole; null names no rearm level, addresses are kept in lower case', async () => {
    await put({ ...ALERT, rearmLevel: 9_999 });
    expect((await read()).rearmLevel).toBe(9_999);
    const answer = await put({
      threshold: 0,
      rearmLevel: null,
      emails: [' Treasury@Demo.TEST '],
      enabled: false,
    });
    expect(answer.body.alert).toEqual({
      threshold: 0,
      rearmLevel: 0,
      emails: ['treasury@demo.test'],
      enabled: false,
      state: 'ARMED',
      firedAt: null,
    });
  });

  it('leaves an audit row without the addresses', async () => {
    await put(ALERT);
    const row = await api.owner
      .selectFrom('audit_log')
      .selectAll()
      .where('action', '=', 'partner_balance.alert_set')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ actor_type: 'PARTNER', object_id: balanceId });
    expect(row.after).toEqual({ threshold: 1_005, rearmLevel: 1_106, enabled: true, emails: 2 });
  });

  it('200 again: the same key', async () => {
    const headers = { 'X-Idempotency-Key': 'alert-1' };
    const first = await put(ALERT, { headers });
    const again = await put(ALERT, { headers });
    expect([again.text, again.headers['idempotency-replayed']]).toEqual([first.text, 'true']);
  });

  it('422 REARM_BELOW_THRESHOLD, and nothing changes', async () => {
    const before = await read();
    expect(result(await put({ ...ALERT, threshold: 5, rearmLevel: 4 }))).toEqual([
      422,
      'REARM_BELOW_THRESHOLD',
    ]);
    expect(await read()).toEqual(before);
  });

  it.each([
    [{ ...ALERT, threshold: -1 }, 'threshold'],
    [{ ...ALERT, threshold: 0.5 }, 'threshold'],
    [{ ...ALERT, threshold: '5' }, 'threshold'],
    [{ ...ALERT, threshold: undefined }, 'threshold'],
    [{ ...ALERT, rearmLevel: 2 ** 53 }, 'rearmLevel'],
    [{ ...ALERT, emails: [] }, 'emails'],
    [{ ...ALERT, emails: 'a@b.test' }, 'emails'],
    [{ ...ALERT, emails: Array.from({ length: 11 }, (_, n) => `a${n}@b.test`) }, 'emails'],
    [{ ...ALERT, emails: ['a@b.test', 'A@B.test'] }, 'emails'],
    [{ ...ALERT, emails: ['a@b.test', 'nobody'] }, 'emails.1'],
    [{ ...ALERT, emails: ['a@b.test\r\nBcc: c@d.test'] }, 'emails.0'],
    [{ ...ALERT, enabled: 'yes' }, 'enabled'],
    [{ ...ALERT, enabled: undefined }, 'enabled'],
    [{ ...ALERT, state: 'FIRED' }, 'state'],
  ])('400 VALIDATION_ERROR: %j', async (body, field) => {
    const before = await read();
    const answer = await put(body);
    expect(result(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors).toEqual([{ field, message: expect.any(String) }]);
    expect(await read()).toEqual(before);
  });

  it("404 BALANCE_NOT_FOUND: nothing, another partner's, another programme's", async () => {
    const missing = await put(ALERT, {}, '11111111-1111-4111-8111-111111111111');
    expect(result(missing)).toEqual([404, 'BALANCE_NOT_FOUND']);
    for (const options of [{ as: 'other' as const }, { headers: { 'Issuer-Code': 'shared' } }]) {
      const answer = await put(ALERT, options);
      expect([answer.status, answer.text]).toEqual([404, missing.text]);
    }
  });
});
