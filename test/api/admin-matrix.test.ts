import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminChannels } from '../../api/admin/index.ts';
import type { OperatorRule } from '../../api/route.ts';
import { atomically } from '../../db/atomically.ts';
import { raiseException } from '../../db/exceptions.ts';
import { OPERATOR_ROLES, type OperatorRole, type OperatorScope } from '../../domain/operator.ts';
import { grantOf } from '../../domain/permission.ts';
import {
  type AdminNamed,
  adjustment,
  aHit,
  anApplication,
  type AdminSample,
  adminSamples,
  freshKey,
  NOTHING_OF_ADMIN,
} from '../support/admin-samples.ts';
import { appUserOf } from '../support/app-users.ts';
import { aBalance, aCard, aCorporation, anEmployee, topUp } from '../support/builders.ts';
import { aCsr } from '../support/csr.ts';
import { aPurchase } from '../support/card-traffic.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { adminCall, anOperator, type TestOperator } from '../support/operators.ts';
import { allPaths, fill, type RoutePath } from '../support/route-paths.ts';
import { usersFile, verificationForm } from '../support/route-samples.ts';
import { type TableState, type TableWatch, watchTables } from '../support/table-state.ts';

/** Every path and alias of `/admin` that asks who calls. */
const PATHS = allPaths(
  adminChannels.flatMap(({ name, prefix, routes }) =>
    routes.map((route) => ({ channel: name, prefix, route })),
  ),
).filter(({ route }) => route.role !== 'nobody-asked');

const ruleOf = ({ route }: RoutePath): OperatorRule => {
  if (route.role === 'nobody-asked' || !('permission' in route.role)) throw new Error('no permission');
  return route.role;
};

const SCOPES: readonly OperatorScope[] = ['PLATFORM', 'PARTNER'];
const WHO = SCOPES.flatMap((scope) => OPERATOR_ROLES.map((role) => ({ role, scope })));

let api: ApiHarness;
let tables: TableWatch;
let named: AdminNamed;
let ended: TestOperator;
let disabled: TestOperator;
const staff = new Map<string, TestOperator>();
const strangers = new Map<OperatorRole, TestOperator>();

const staffOf = (role: OperatorRole, scope: OperatorScope): TestOperator =>
  staff.get(`${scope} ${role}`) as TestOperator;

beforeAll(async () => {
  api = await startApi();
  tables = await watchTables(api.databaseUrls.adminUrl);
  for (const { role, scope } of WHO) {
    const partner = scope === 'PARTNER' ? { partner: 'demo' } : {};
    staff.set(`${scope} ${role}`, await anOperator(api, { role, ...partner }));
  }
  for (const role of OPERATOR_ROLES) strangers.set(role, await anOperator(api, { role, partner: 'other' }));
  ended = await anOperator(api, { role: 'Admin' });
  await adminCall(api, 'DELETE', '/admin/session', ended);
  disabled = await anOperator(api, { role: 'Admin', state: 'DISABLED' });
  named = await makeOwned();
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await tables.end();
  await api.stop();
});

/** One of everything, in the programme `sandbox` of the demo partner. */
async function makeOwned(): Promise<AdminNamed> {
  const card = await aCard(api);
  await topUp(api, card, 10_000);
  const { processor_card_id: processorCardId, partner_id: partnerId } = await api.owner
    .selectFrom('cards')
    .select(['processor_card_id', 'partner_id'])
    .where('card_id', '=', card.cardId)
    .executeTakeFirstOrThrow();
  const bought = await api.call('POST', '/processor/authorizations', {
    as: 'processor',
    body: aPurchase({ ...card, processorCardId: processorCardId ?? '' }, 500),
  });
  const system = {
    partnerId: null,
    actor: { type: 'SYSTEM', id: 'test' },
    requestId: 'test',
    ip: null,
  } as const;
  const exceptionId = await atomically(api.services.engine, system, (trx) =>
    raiseException(trx, {
      kind: 'FORCE_POST',
      values: {},
      partnerId,
      transactionId: bought.body.id,
      recordId: null,
    }),
  );
  const programmeId = api.demo.programmes['sandbox']?.id ?? '';
  const balances = await api.call('GET', `/secure/partner-balances?kind=credit&programmeId=${programmeId}`);
  await api.call('POST', '/processor/clearing-files', {
    as: 'processor',
    body: { fileId: 'C1', businessDate: '2026-03-01', records: 1, size: 100, sha256: 'ab'.repeat(32) },
  });
  const partner = await api.owner
    .selectFrom('partners')
    .select('public_id')
    .where('code', '=', 'demo')
    .executeTakeFirstOrThrow();
  const asked = await adminCall(api, 'POST', '/admin/adjustments', staffOf('Manager', 'PARTNER'), {
    body: adjustment({ balanceId: await aBalance(api, card.customerId) }),
    headers: freshKey(),
  });
  const { certificate_id: certificateId } = await api.owner
    .selectFrom('certificates')
    .innerJoin('partners', 'partners.partner_id', 'certificates.partner_id')
    .select('certificate_id')
    .where('partners.code', '=', 'demo')
    .where('certificates.state', '=', 'ACTIVE')
    .executeTakeFirstOrThrow();
  const verification = await api.call('POST', `/secure/customers/${card.customerId}/register`, {
    form: verificationForm(NOTHING_OF_ADMIN.picture),
  });
  const { verificationId } = verification.body;
  const { document_id: pictureId } = await api.owner
    .selectFrom('verification_documents')
    .select('document_id')
    .where('verification_id', '=', verificationId)
    .executeTakeFirstOrThrow();
  const dcCorporationId = await aCorporation(api);
  const { employeeId } = await anEmployee(api, dcCorporationId, { userId: card.customerId });
  const headers = { 'Issuer-Code': 'sandbox' };
  const imported = await api.call('POST', '/lifecycle/v1/imports/users', { headers, form: usersFile() });
  return {
    ...NOTHING_OF_ADMIN,
    ...(await anApplication(api)),
    verificationId,
    pictureId,
    dcCorporationId,
    employeeId,
    importId: imported.body.importId,
    hitId: await aHit(api, card.customerId),
    deviceInstallationId: (await appUserOf(api, card.customerId)).installationId,
    issuerCode: 'sandbox',
    certificateId,
    csr: (await aCsr()).csr,
    ...card,
    approvalId: asked.body.approvalId,
    configId: '0019167984',
    otherBalanceId: await aBalance(api, card.customerId),
    transactionId: bought.body.id,
    holdId: bought.body.id,
    partnerBalanceId: balances.body.items[0].id,
    processorCardId: processorCardId ?? '',
    exceptionId,
    programmeId,
    partnerId: partner.public_id,
    fileId: 'C1',
    operatorId: staffOf('Manager', 'PARTNER').operatorId,
  };
}

/** Sends a path's sample, naming `names`. */
function call(
  path: RoutePath,
  names: AdminNamed,
  as: { readonly token: string } | null,
): Promise<HttpAnswer> {
  const sample = adminSamples[path.route.operation] as AdminSample;
  const { picture: _picture, ...inPath } = names;
  const target =
    fill(path.path, { ...inPath, type: 'CORRESPONDENCE', section: 'ENTITY', code: 'CUSTOM' }) +
    (sample.query?.(names) ?? '');
  return adminCall(api, path.method, target, as, {
    headers: {
      'X-Request-Id': randomUUID(),
      ...(path.route.idempotency === 'required' ? freshKey() : {}),
    },
    ...(sample.body === undefined ? {} : { body: sample.body(names, path.path) }),
    ...(sample.form === undefined ? {} : { form: sample.form(names) }),
  });
}

/** Everything but the times of last use, which every call of a live session moves. */
async function written(): Promise<TableState> {
  const state = { ...(await tables.state()) };
  delete state['public.operator_sessions'];
  return state;
}

const titleOf = (answer: HttpAnswer): unknown[] => [answer.status, answer.body?.title];

const refusalsOf = (answer: HttpAnswer) =>
  api.owner
    .selectFrom('audit_log')
    .select(['actor_type', 'result', 'after'])
    .where('request_id', '=', answer.headers['x-request-id'] as string)
    .execute();

it('has a sample for every operation, and the public listener serves these paths', () => {
  expect(Object.keys(adminSamples).toSorted()).toEqual(
    [...new Set(PATHS.map((path) => path.route.operation))].toSorted(),
  );
  const mounted = allPaths(api.routes).filter(
    ({ channel, route }) => channel === 'admin' && route.role !== 'nobody-asked',
  );
  expect(mounted.map(({ method, path }) => `${method} ${path}`)).toEqual(
    PATHS.map(({ method, path }) => `${method} ${path}`),
  );
});

describe.each(PATHS.map((path) => [`${path.method} ${path.path}`, path] as const))('%s', (_name, path) => {
  const { permission } = ruleOf(path);
  const sample = () => adminSamples[path.route.operation] as AdminSample;

  it('is closed to nobody, to unknown tokens and those of users, ended sessions and disabled operators', async () => {
    const before = await written();
    expect(titleOf(await call(path, named, null))).toEqual([401, 'UNAUTHENTICATED']);
    const unknown = { token: `ost_${'A'.repeat(43)}` };
    expect(titleOf(await call(path, named, unknown))).toEqual([401, 'UNAUTHENTICATED']);
    expect(titleOf(await call(path, named, ended))).toEqual([401, 'SESSION_EXPIRED']);
    const ofUser = { token: `cst_${'A'.repeat(43)}` };
    expect(titleOf(await call(path, named, ofUser))).toEqual([401, 'UNAUTHENTICATED']);
    expect(titleOf(await call(path, named, disabled))).toEqual([401, 'SESSION_EXPIRED']);
    expect(await written()).toEqual(before);
  });

  it('is not on the certificate listener, whoever asks', async () => {
    for (const as of ['demo', 'processor', 'sponsor'] as const) {
      const answer = await api.call(path.method, fill(path.path), { as });
      expect([as, answer.status]).toEqual([as, 404]);
    }
  });

  const closed = WHO.filter((one) => ['-', 'hidden'].includes(grantOf(permission, one)));
  it.each(closed)('is closed to $role of $scope', async (one) => {
    const hidden = grantOf(permission, one) === 'hidden';
    const before = await written();
    const answer = await call(path, named, staffOf(one.role, one.scope));
    expect(titleOf(answer)).toEqual(hidden ? [404, 'NOT_FOUND'] : [403, 'FORBIDDEN']);
    if (!hidden) {
      expect(await refusalsOf(answer)).toEqual([
        { actor_type: 'OPERATOR', result: 'DENIED', after: { title: 'FORBIDDEN' } },
      ]);
    }
    expect(await written()).toEqual(before);
  });

  const foreign = OPERATOR_ROLES.filter((role) =>
    ['x', '2'].includes(grantOf(permission, { role, scope: 'PARTNER' })),
  );
  it.each(foreign)("shows nothing to another partner's %s", async (role) => {
    const { stranger, platform } = sample();
    if (stranger === 'none') return;
    const as = strangers.get(role) as TestOperator;
    const before = await written();
    const answer = await call(path, named, as);
    if (stranger === 'missing' || path.path.includes('/customers/{customerId}/')) {
      const nothing = await call(path, { ...NOTHING_OF_ADMIN }, as);
      expect(answer.status).toBe(404);
      expect(answer.body.title).toMatch(/_NOT_FOUND$/);
      expect([answer.status, answer.text]).toEqual([nothing.status, nothing.text]);
    } else {
      const owner = platform === true ? staffOf(role, 'PLATFORM') : staffOf(role, 'PARTNER');
      const own = idsIn(await call(path, named, owner));
      expect(own.length).toBeGreaterThan(0);
      expect(answer.status).toBe(200);
      expect(idsIn(answer).filter((id) => own.includes(id))).toEqual([]);
    }
    expect(await written()).toEqual(before);
  });
});

const idsIn = ({ body }: HttpAnswer): unknown[] =>
  body.items.map(
    (one: Record<string, unknown>) =>
      one['id'] ??
      one['certificateId'] ??
      one['programmeId'] ??
      one['partnerId'] ??
      one['fileId'] ??
      one['hitId'] ??
      one['verificationId'] ??
      one['applicationId'] ??
      one['dcCorporationId'] ??
      JSON.stringify(one),
  );

describe('the same requests, or for the door alone a wrong one, from those who may', () => {
  const open = PATHS.flatMap((path) =>
    WHO.filter((one) => ['x', '2'].includes(grantOf(ruleOf(path).permission, one))).map(
      (one) => [`${one.role} of ${one.scope}: ${path.method} ${path.path}`, path, one] as const,
    ),
  );

  it.each(open)('2xx: %s', async (_name, path, { role, scope }) => {
    const sample = adminSamples[path.route.operation] as AdminSample;
    if (sample.platform === true && scope === 'PARTNER' && path.path.includes('{')) return;
    const own = scope === 'PARTNER' ? { partner: 'demo' } : {};
    // One who signs out is not needed afterwards.
    const as =
      path.route.operation === 'endSession' ? await anOperator(api, { role, ...own }) : staffOf(role, scope);
    const admin = staffOf('Admin', 'PLATFORM');
    if (path.route.operation.endsWith('Exception')) await freeException();
    await api.owner
      .updateTable('approvals')
      .set({ state: 'CANCELLED', decided_at: new Date() })
      .where('state', '=', 'PENDING')
      .execute();
    const made = await sample.before?.({
      api,
      named,
      send: (method, to, body) =>
        adminCall(api, method, to, admin, { headers: freshKey(), ...(body === undefined ? {} : { body }) }),
    });
    const answer = await call(path, { ...named, ...made }, as);
    const success = [expect.toSatisfy((status: number) => status >= 200 && status < 300), undefined];
    expect([answer.status, answer.body?.title]).toEqual(sample.answer ?? success);
  });
});

/** Puts the exception back to where nobody works on it. */
async function freeException(): Promise<void> {
  await api.owner
    .updateTable('exceptions')
    .set({ state: 'OPEN', assignee: null })
    .where('exception_id', '=', named.exceptionId)
    .execute();
}
