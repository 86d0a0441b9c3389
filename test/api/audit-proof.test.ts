import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { sealAudit } from '../../db/audit-seals.ts';
import { proveAuditNightly } from '../../worker/audit-proof.ts';
import { createMetrics } from '../../worker/metrics.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { adminCall, anOperator, moveClock, type TestOperator } from '../support/operators.ts';

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

describe('the hash chains', () => {
  it('are proved in part: from a place to a place, on the hash that is kept before it', async () => {
    for (let at = 0; at < 4; at += 1) await act();
    await seal();
    const chainId = api.demo.partner.id;
    const part = (more: object) => verify({ chainId, ...more });
    const { rows: length } = (await part({})).body.chains[0];
    expect(length).toBeGreaterThan(3);
    const middle = (await part({ fromSeq: 2, toSeq: 3 })).body.chains[0];
    expect(middle).toEqual({ chainId, rows: 2, ok: true, firstBadSeq: null, problem: null });
    expect((await part({ fromSeq: length + 10 })).body.chains[0]).toMatchObject({ rows: 0, ok: true });
    const { rows } = await superuser.query<{ audit_id: string }>(
      'select audit_id from audit_seals where chain = $1 and seq = 3',
      [chainId],
    );
    const id = rows[0]?.audit_id;
    const { rows: was } = await superuser.query('select actor_id from audit_log where id = $1', [id]);
    await tamper(`update audit_log set actor_id = 'nobody' where id = '${id}'`);
    expect((await part({ toSeq: 2 })).body.ok).toBe(true);
    expect((await part({ fromSeq: 4 })).body.ok).toBe(true);
    expect((await part({ fromSeq: 2, toSeq: 3 })).body.chains[0]).toMatchObject({
      firstBadSeq: 3,
      problem: 'HASH',
    });
    await tamper(`update audit_log set actor_id = '${was[0].actor_id}' where id = '${id}'`);
    expect(told(await verify({ fromSeq: 2 }))).toEqual([400, 'VALIDATION_ERROR']);
    expect(told(await part({ fromSeq: 3, toSeq: 2 }))).toEqual([400, 'VALIDATION_ERROR']);
  });

  it('show each row its place and hashes once it is sealed', async () => {
    await act();
    const newest = async () =>
      (await get(admin, `?action=operator.signed_out&partnerId=${api.demo.partner.id}&limit=2`)).body.items;
    expect((await newest())[0]).toMatchObject({ chainId: api.demo.partner.id, seq: null, hash: null });
    await act();
    await seal();
    const [second, first] = await newest();
    expect(second.seq).toBeGreaterThan(first.seq);
    expect([first.hash, first.prevHash]).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
    if (second.seq === first.seq + 1) expect(second.prevHash).toBe(first.hash);
  });

  it('are proved every night, once, and what was found is told to those who watch', async () => {
    await seal();
    const parts = { engine: api.services.engine, vault: api.vault, anchors: api.services.anchors };
    const proofs = () =>
      superuser.query(`select from audit_log where action = 'audit.verified' and actor_type = 'SYSTEM'`);
    expect(await proveAuditNightly(parts, caller)).toBe(true);
    expect(await proveAuditNightly(parts, caller)).toBe(null);
    expect((await proofs()).rowCount).toBe(1);
    const metrics = createMetrics(api.services.engine, 'test');
    metrics.anchored(['platform']);
    const chain = `{chain="${api.demo.partner.id}"}`;
    const text = await metrics.registry.metrics();
    expect(text).toContain(`audit_verify_ok${chain} 1`);
    expect(text).toMatch(/^audit_unsealed_oldest_seconds\{chain="platform"\} [0-9.e-]+$/m);
    expect(text).toMatch(/^audit_anchor_age_seconds\{chain="platform"\} [0-9.e-]+$/m);
    const { rows } = await superuser.query<{ id: string; actor_id: string }>(
      `select a.id, a.actor_id from audit_log a join audit_seals s on s.audit_id = a.id
       where s.chain = $1 and s.seq = 1`,
      [api.demo.partner.id],
    );
    const [row] = rows;
    await tamper(`update audit_log set actor_id = 'nobody' where id = '${row?.id}'`);
    await moveClock(api.owner, 86_400);
    try {
      expect(await proveAuditNightly(parts, caller)).toBe(false);
      expect(await metrics.registry.metrics()).toContain(`audit_verify_ok${chain} 0`);
    } finally {
      await moveClock(api.owner, 0);
      await tamper(`update audit_log set actor_id = '${row?.actor_id}' where id = '${row?.id}'`);
    }
  });
});
