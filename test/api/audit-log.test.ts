import pg from 'pg';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { sealAudit } from '../../db/audit-seals.ts';
import { makeAnchor } from '../../worker/audit-anchors.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { adminCall, anOperator, type TestOperator } from '../support/operators.ts';

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'test' },
  requestId: 'test',
  ip: null,
} as const;

let api: ApiHarness;
let admin: TestOperator;
let superuser: pg.Client;

beforeAll(async () => {
  api = await startApi();
  admin = await anOperator(api, { role: 'Admin' });
  superuser = new pg.Client({ connectionString: api.databaseUrls.adminUrl });
  await superuser.connect();
});

afterAll(async () => {
  await superuser.end();
  await api.stop();
});

const told = (answer: HttpAnswer) => [answer.status, answer.body?.title];
const get = (as: TestOperator, query = '') => adminCall(api, 'GET', `/admin/audit-log${query}`, as);
const verify = async (body: object = {}, as = admin) =>
  await adminCall(api, 'POST', '/admin/audit-log/verify', as, { body });
const seal = () => atomically(api.services.engine, caller, sealAudit);
const anchor = async () => api.services.anchors.append(await makeAnchor(api.services.engine, api.vault));

/** One more row of the demo partner, by one of its operators. */
async function act(): Promise<void> {
  const employee = await anOperator(api, { role: 'Employee', partner: 'demo' });
  await adminCall(api, 'DELETE', '/admin/session', employee);
}

/** Changes rows as somebody who owns the machine could. */
async function tamper(statement: string): Promise<void> {
  await superuser.query(
    `set session_replication_role = replica; ${statement}; reset session_replication_role`,
  );
}

const demoVerdict = async () => {
  const { chains } = (await verify()).body;
  return chains.find((one: { chainId: string }) => one.chainId === api.demo.partner.id);
};

describe('GET /audit-log', () => {
  it('shows rows newest first, by filter, and records the reading itself', async () => {
    await act();
    const answer = await get(admin, `?action=operator.signed_out&partnerId=${api.demo.partner.id}`);
    expect(answer.status).toBe(200);
    expect(answer.body.items).toMatchObject([
      { action: 'operator.signed_out', actorType: 'OPERATOR', partnerId: api.demo.partner.id, result: 'OK' },
    ]);
    const reads = await get(admin, '?action=audit.read');
    expect(reads.body.items[0]).toMatchObject({ actorId: admin.operatorId, after: { action: 'audit.read' } });
    expect(reads.body.items[1]).toMatchObject({ after: { action: 'operator.signed_out' } });
  });

  it("shows a partner's Admin that partner's rows alone; a Manager none", async () => {
    const own = await anOperator(api, { role: 'Admin', partner: 'demo' });
    const rows = (await get(own, '?limit=200')).body.items;
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map((one: { partnerId: string }) => one.partnerId))).toEqual(
      new Set([api.demo.partner.id]),
    );
    const other = await anOperator(api, { role: 'Admin', partner: 'other' });
    expect(told(await get(other, `?partnerId=${api.demo.partner.id}`))).toEqual([404, 'PARTNER_NOT_FOUND']);
    expect(told(await verify({ chainId: 'platform' }, other))).toEqual([404, 'PARTNER_NOT_FOUND']);
    expect(told(await get(await anOperator(api, { role: 'Manager' })))).toEqual([403, 'FORBIDDEN']);
  });
});

describe('the hash chains', () => {
  it('number every row once in the chain of its partner, with two sealers at once too', async () => {
    await act();
    await Promise.all([seal(), seal()]);
    await act();
    expect(await seal()).toBeGreaterThan(0);
    expect(await seal()).toBe(0);
    const rows = await api.owner.selectFrom('audit_log').select('id').execute();
    const seals = await superuser.query<{ chain: string; seq: string; audit_id: string }>(
      'select * from audit_seals order by chain, seq',
    );
    expect(seals.rows.map((one) => one.audit_id).toSorted()).toEqual(rows.map((one) => one.id).toSorted());
    for (const chain of new Set(seals.rows.map((one) => one.chain))) {
      const places = seals.rows.filter((one) => one.chain === chain).map((one) => Number(one.seq));
      expect(places).toEqual(places.map((_unused, at) => at + 1));
    }
    await anchor();
    const answer = (await verify()).body;
    expect(answer).toMatchObject({ ok: true, anchorsChecked: 1, anchorsForged: 0 });
    expect(answer.chains.map((one: { chainId: string }) => one.chainId)).toContain('platform');
  });

  it('are nobody of the product to change', async () => {
    const update = sql`update audit_seals set seq = seq + 1`.execute(api.services.engine);
    await expect(update).rejects.toThrow('permission denied');
    await expect(superuser.query('delete from audit_seals')).rejects.toThrow('never changed');
  });

  it.each([
    ['HASH', 'a changed row', `update audit_log set actor_id = 'somebody else' where id = $id`],
    [
      'HASH',
      'a changed time',
      `update audit_log set created_at = created_at + interval '1 us' where id = $id`,
    ],
    ['GAP', 'a deleted row', 'delete from audit_log where id = $id'],
  ])('tell %s of %s', async (problem, _what, statement) => {
    await act();
    await act();
    await seal();
    expect(await demoVerdict()).toMatchObject({ ok: true, problem: null });
    const { rows } = await superuser.query<{ audit_id: string; seq: string }>(
      'select audit_id, seq from audit_seals where chain = $1 order by seq desc offset 1 limit 1',
      [api.demo.partner.id],
    );
    const [{ audit_id: id = '', seq = '' } = {}] = rows;
    await superuser.query('create table kept as select * from audit_log where id = $1', [id]);
    await tamper(statement.replace('$id', `'${id}'`));
    expect(await demoVerdict()).toMatchObject({ ok: false, problem, firstBadSeq: Number(seq) });
    await tamper(`delete from audit_log where id = '${id}'; insert into audit_log select * from kept`);
    await superuser.query('drop table kept');
    expect(await demoVerdict()).toMatchObject({ ok: true });
  });

  it('tell ANCHOR when the end was cut off or written anew, ORDER of a row with an old time', async () => {
    await act();
    await seal();
    await anchor();
    await superuser.query('create table kept as select * from audit_seals where chain = $1', [
      api.demo.partner.id,
    ]);
    await tamper(`delete from audit_seals s where chain = '${api.demo.partner.id}'
      and seq = (select max(seq) from kept)`);
    expect(await demoVerdict()).toMatchObject({ ok: false, problem: 'ANCHOR' });
    await tamper(
      `delete from audit_seals where chain = '${api.demo.partner.id}'; insert into audit_seals select * from kept`,
    );
    await superuser.query('drop table kept');
    expect(await demoVerdict()).toMatchObject({ ok: true });
    await superuser.query(`insert into audit_log (id, partner_id, actor_type, actor_id, action, object_type, object_id,
        result, request_id)
      select (left(id_bound(cardloom_now() - interval '2 hours')::text, 14) || '4000-8000-000000000001')::uuid,
        partner_id, actor_type, actor_id, action, object_type, object_id, result, request_id
      from audit_log where partner_id is not null limit 1`);
    expect(await seal()).toBeGreaterThanOrEqual(0);
    expect(await demoVerdict()).toMatchObject({ ok: false, problem: 'ORDER' });
  });

  it('an anchor that was not signed by us is told', async () => {
    const [newest] = (await api.services.anchors.newest()).slice(-1);
    if (newest === undefined) throw new Error('no anchor');
    await api.services.anchors.append({ ...newest, text: newest.text.replace('"seq":1', '"seq":2') + ' ' });
    expect((await verify()).body).toMatchObject({ ok: false, anchorsForged: 1 });
  });
});
