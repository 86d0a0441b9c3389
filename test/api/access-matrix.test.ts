import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateChannels } from '../../api/channels.ts';
import { aBalance, aCard, aCorporation, aCustomer, anEmployee, topUp } from '../support/builders.ts';
import type { Client } from '../support/clients.ts';
import {
  type ApiHarness,
  type CallOptions,
  type ClientName,
  type HttpAnswer,
  startApi,
} from '../support/harness.ts';
import { aServerKyb, atDoor, fillKyb } from '../support/kyb.ts';
import { aJpeg } from '../support/pictures.ts';
import { allPaths, fill, type RoutePath } from '../support/route-paths.ts';
import { aCsr } from '../support/csr.ts';
import { type Named, NOTHING_NAMED, type Sample, samples } from '../support/route-samples.ts';
import { type TableWatch, watchTables } from '../support/table-state.ts';

/** Every path and alias of the certificate listener. */
const PATHS = allPaths(
  certificateChannels.flatMap(({ name, prefix, routes }) =>
    routes.map((route) => ({ channel: name, prefix, route })),
  ),
);

type Kind = 'partner' | 'sponsor' | 'processor' | 'public-key';

const kindOf = ({ channel, route }: RoutePath): Kind => {
  if (route.role === 'nobody-asked') return 'public-key';
  return channel === 'processor' || channel === 'sponsor' ? channel : 'partner';
};

const needsIssuerCode = (path: RoutePath): boolean => path.channel === 'lifecycle';

/** It names no resource, and the certificate serves several programmes. */
const programmeNeeded = (path: RoutePath): boolean =>
  needsIssuerCode(path) || path.route.operation === 'secureBeginKybApplication';

/** Certificates beside those of the harness, by what is wrong with them. */
const EXTRA = [
  'expired',
  'withoutPartner',
  'suspended',
  'suspendedProcessor',
  'suspendedSponsor',
  'elsewhere',
  'creditOnly',
  'sponsorOfOther',
  'sponsorOfCredit',
] as const;
type Extra = (typeof EXTRA)[number];

interface Refused {
  readonly who: string;
  readonly as: ClientName | Extra;
  readonly on: readonly Kind[];
  readonly issuerCode?: string | null;
  readonly onlyWhereCodeIsNeeded?: boolean;
  readonly answer: readonly [number, string] | 'no handshake';
  /** Rows that the refusal leaves in the audit log: none while nobody is known, none for a 400. */
  readonly audited: 'route' | 'certificate' | null;
}

const ALL: readonly Kind[] = ['partner', 'sponsor', 'processor', 'public-key'];
const NOT_TRUSTED = [401, 'CERTIFICATE_NOT_TRUSTED'] as const;
const FORBIDDEN = [403, 'FORBIDDEN'] as const;

const REFUSED: readonly Refused[] = [
  { who: 'nobody', as: 'nobody', on: ALL, answer: 'no handshake', audited: null },
  { who: 'a foreign authority', as: 'foreignAuthority', on: ALL, answer: 'no handshake', audited: null },
  { who: 'an unregistered certificate', as: 'unregistered', on: ALL, answer: NOT_TRUSTED, audited: null },
  { who: 'a revoked certificate', as: 'revoked', on: ALL, answer: NOT_TRUSTED, audited: 'certificate' },
  { who: 'an expired certificate', as: 'expired', on: ALL, answer: NOT_TRUSTED, audited: 'certificate' },
  { who: 'the processor', as: 'processor', on: ['partner', 'sponsor'], answer: FORBIDDEN, audited: 'route' },
  { who: 'a partner', as: 'demo', on: ['processor', 'sponsor'], answer: FORBIDDEN, audited: 'route' },
  { who: 'the sponsor', as: 'sponsor', on: ['partner', 'processor'], answer: FORBIDDEN, audited: 'route' },
  {
    who: 'a scope without partner',
    as: 'withoutPartner',
    on: ['partner'],
    answer: FORBIDDEN,
    audited: 'route',
  },
  {
    who: 'a suspended partner',
    as: 'suspended',
    on: ['partner', 'public-key'],
    answer: [403, 'PARTNER_SUSPENDED'],
    audited: 'route',
  },
  {
    who: 'the processor of a suspended partner',
    as: 'suspendedProcessor',
    on: ['processor'],
    answer: [403, 'PARTNER_SUSPENDED'],
    audited: 'route',
  },
  {
    who: 'the sponsor of a suspended partner',
    as: 'suspendedSponsor',
    on: ['sponsor'],
    answer: [403, 'PARTNER_SUSPENDED'],
    audited: 'route',
  },
  {
    who: 'a partner from another address',
    as: 'elsewhere',
    on: ['partner', 'public-key'],
    answer: [403, 'IP_NOT_ALLOWED'],
    audited: 'route',
  },
  {
    who: "another partner with the owner's Issuer-Code",
    as: 'other',
    on: ['partner'],
    issuerCode: 'sandbox',
    answer: [403, 'ISSUER_CODE_NOT_ALLOWED'],
    audited: 'route',
  },
  {
    who: "the owner with another partner's Issuer-Code",
    as: 'demo',
    on: ['partner'],
    issuerCode: 'other',
    answer: [403, 'ISSUER_CODE_NOT_ALLOWED'],
    audited: 'route',
  },
  {
    who: 'the owner without Issuer-Code',
    as: 'demo',
    on: ['partner'],
    issuerCode: null,
    onlyWhereCodeIsNeeded: true,
    answer: [400, 'ISSUER_CODE_REQUIRED'],
    audited: null,
  },
];

interface Stranger {
  readonly who: string;
  readonly on: Kind;
  readonly as: ClientName | Extra;
  /** Sent everywhere, or only where the channel needs one. */
  readonly issuerCode: string;
  readonly always: boolean;
}

/** They may call, but what is named is not theirs. */
const STRANGERS: readonly Stranger[] = [
  { who: 'another partner', on: 'partner', as: 'other', issuerCode: 'other', always: false },
  {
    who: 'a certificate of another programme',
    on: 'partner',
    as: 'creditOnly',
    issuerCode: 'credit',
    always: false,
  },
  { who: 'the owner in another programme', on: 'partner', as: 'demo', issuerCode: 'credit', always: true },
  { who: "another partner's sponsor", on: 'sponsor', as: 'sponsorOfOther', issuerCode: '', always: false },
  {
    who: 'the sponsor of another programme',
    on: 'sponsor',
    as: 'sponsorOfCredit',
    issuerCode: '',
    always: false,
  },
];

/** What the samples say besides what is sent. */
const sampleIn = samples(Buffer.alloc(0));

let api: ApiHarness;
let tables: TableWatch;
let named: Named;
let sampleOf: Readonly<Record<string, Sample>>;
const extra = {} as Record<Extra, Client>;

beforeAll(async () => {
  api = await startApi();
  tables = await watchTables(api.databaseUrls.adminUrl);
  sampleOf = samples(await aJpeg());
  await addExtraClients();
  named = await makeOwned();
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await tables.end();
  await api.stop();
});

async function addPartner(code: string, values: { state?: 'SUSPENDED'; ip_allow_list?: string[] }) {
  const { partner_id: partnerId } = await api.owner
    .insertInto('partners')
    .values({ public_id: randomUUID(), code, name: code, ...values })
    .returning('partner_id')
    .executeTakeFirstOrThrow();
  return partnerId;
}

async function addExtraClients(): Promise<void> {
  const { partner_id: demoId } = await api.owner
    .selectFrom('partners')
    .select('partner_id')
    .where('code', '=', 'demo')
    .executeTakeFirstOrThrow();
  const suspendedId = await addPartner('suspended', { state: 'SUSPENDED' });
  const elsewhereId = await addPartner('elsewhere', { ip_allow_list: ['10.0.0.0/8'] });
  const partner = { scopes: ['partner' as const], partnerId: demoId };
  extra.expired = await api.addClient({
    ...partner,
    label: 'expired',
    notAfter: new Date(Date.now() - 1_000),
  });
  extra.withoutPartner = await api.addClient({ ...partner, label: 'alone', partnerId: null });
  extra.suspended = await api.addClient({ ...partner, label: 'suspended', partnerId: suspendedId });
  extra.suspendedProcessor = await api.addClient({
    label: 'suspended-processor',
    scopes: ['processor'],
    partnerId: suspendedId,
  });
  extra.suspendedSponsor = await api.addClient({
    label: 'suspended-sponsor',
    scopes: ['bin_sponsor'],
    partnerId: suspendedId,
  });
  const { partner_id: otherId } = await api.owner
    .selectFrom('partners')
    .select('partner_id')
    .where('code', '=', 'other')
    .executeTakeFirstOrThrow();
  const sponsor = { scopes: ['bin_sponsor' as const] };
  extra.sponsorOfOther = await api.addClient({ ...sponsor, label: 'other-sponsor', partnerId: otherId });
  extra.sponsorOfCredit = await api.addClient({
    ...sponsor,
    label: 'credit-sponsor',
    partnerId: null,
    programmes: ['credit'],
  });
  extra.elsewhere = await api.addClient({ ...partner, label: 'elsewhere', partnerId: elsewhereId });
  extra.creditOnly = await api.addClient({ ...partner, label: 'credit-only', programmes: ['credit'] });
}

/** One of everything, in the programme `sandbox` of the demo partner. */
async function makeOwned(): Promise<Named> {
  const { configId, lockReason } = NOTHING_NAMED;
  const card = await aCard(api);
  const posted = await topUp(api, card, 10_000);
  const verification = await call(
    pathNamed('submitVerification'),
    { ...NOTHING_NAMED, ...card },
    'demo',
    'sandbox',
  );
  const { processor_card_id: processorCardId } = await api.owner
    .selectFrom('cards')
    .select('processor_card_id')
    .where('card_id', '=', card.cardId)
    .executeTakeFirstOrThrow();
  const programmeId = api.demo.programmes['sandbox']?.id;
  const partnerBalances = await api.call(
    'GET',
    `/secure/partner-balances?kind=credit&programmeId=${programmeId}`,
  );
  const dcCorporationId = await aCorporation(api);
  const { employeeId } = await anEmployee(api, dcCorporationId, { userId: card.customerId });
  const { importId } = (await call(pathNamed('importUsers'), NOTHING_NAMED, 'demo', 'sandbox')).body;
  return {
    ...card,
    importId,
    dcCorporationId,
    employeeId,
    otherBalanceId: await aBalance(api, card.customerId),
    transactionId: posted.body.id,
    partnerBalanceId: partnerBalances.body.items[0].id,
    verificationId: verification.body.verificationId ?? verification.body.id,
    processorCardId: processorCardId ?? '',
    configId,
    ...(await anOwnedKyb()),
    lockReason,
    certificateId: await ownCertificate(),
    csr: (await aCsr()).csr,
  };
}

/** One more certificate of the partner, under a label of its own. */
async function ownCertificate(): Promise<string> {
  const { partner_id: partnerId } = await api.owner
    .selectFrom('partners')
    .select('partner_id')
    .where('code', '=', 'demo')
    .executeTakeFirstOrThrow();
  const label = randomUUID().slice(0, 8);
  const { fingerprint } = await api.addClient({ label, scopes: ['partner'], partnerId });
  const { certificate_id: certificateId } = await api.owner
    .selectFrom('certificates')
    .select('certificate_id')
    .where('fingerprint_sha256', '=', fingerprint)
    .executeTakeFirstOrThrow();
  return certificateId;
}

async function anOwnedKyb(): Promise<{ applicationId: string; documentId: string }> {
  const door = await aServerKyb(api);
  await fillKyb(api, door);
  const { documents } = (await atDoor(api, door, 'GET', '')).body;
  return { applicationId: door.applicationId, documentId: documents[0].documentId };
}

/** What all other calls name has money and cards, and stays; what is deleted is made for it. */
async function namesFor({ route }: RoutePath): Promise<Named> {
  switch (route.operation) {
    case 'deleteBalance':
      return { ...named, balanceId: await aBalance(api, named.customerId) };
    case 'readImportReport': {
      const { importId } = (await call(pathNamed('importUsers'), NOTHING_NAMED, 'demo', 'sandbox')).body;
      await api.owner
        .updateTable('user_imports')
        .set({ state: 'DONE', finished_at: new Date() })
        .where('import_id', '=', importId)
        .execute();
      return { ...named, importId };
    }
    case 'revokeOwnCertificate':
      return { ...named, certificateId: await ownCertificate() };
    case 'deleteUser':
      return { ...named, customerId: await aCustomer(api) };
    case 'deleteCorporation':
      return { ...named, dcCorporationId: await aCorporation(api) };
    case 'removeEmployee':
      return { ...named, employeeId: (await anEmployee(api, named.dcCorporationId)).employeeId };
    case 'lifecycleRemoveCard':
      return { ...named, ...(await aCard(api)) };
    case 'secureSubmitKybApplication':
      // The persons of the one that all other calls name were replaced, their documents went with them.
      return { ...named, ...(await anOwnedKyb()) };
    default:
      return named;
  }
}

const pathNamed = (operation: string): RoutePath =>
  PATHS.find((path) => path.route.operation === operation) as RoutePath;

/** Sends a path's sample, naming `names`. */
async function call(
  path: RoutePath,
  names: Named,
  as: ClientName | Extra,
  issuerCode: string | null,
): Promise<HttpAnswer> {
  const sample = sampleOf[path.route.operation] as Sample;
  // A key may be sent once.
  if (path.route.operation === 'renewCertificate' && names.csr !== '') {
    names = { ...names, csr: (await aCsr()).csr };
  }
  const options: CallOptions = {
    as: as in extra ? extra[as as Extra] : (as as ClientName),
    headers: {
      ...(path.route.idempotency === 'required' ? { 'X-Idempotency-Key': randomUUID() } : {}),
      ...sample.headers,
      'X-Request-Id': randomUUID(),
      ...(issuerCode === null ? {} : { 'Issuer-Code': issuerCode }),
    },
    ...(sample.body === undefined ? {} : { body: sample.body(names, path.path) }),
    ...(sample.form === undefined ? {} : { form: sample.form(names) }),
  };
  const target = fill(path.path, { ...names, userId: names.customerId, type: 'CORRESPONDENCE' });
  return await api.call(path.method, target + (sample.query?.(names, path.path) ?? ''), options);
}

const auditRows = (requestId: string) =>
  api.owner
    .selectFrom('audit_log')
    .select(['action', 'object_type', 'result', 'after'])
    .where('request_id', '=', requestId)
    .execute();

const idsIn = (answer: HttpAnswer): unknown[] =>
  answer.body.items.map(
    (one: { id?: unknown; dcCorporationId?: unknown; certificateId?: unknown }) =>
      one.id ?? one.dcCorporationId ?? one.certificateId,
  );

it('has a sample for every operation of the certificate listener, and the listener serves these paths', () => {
  expect(Object.keys(sampleOf).toSorted()).toEqual(
    [...new Set(PATHS.map((path) => path.route.operation))].toSorted(),
  );
  const mounted = allPaths(api.routes).filter(
    (path) => !['public', 'admin', 'kyb', 'customers', 'entry'].includes(path.channel),
  );
  expect(mounted.map(({ method, path }) => `${method} ${path}`)).toEqual(
    PATHS.map(({ method, path }) => `${method} ${path}`),
  );
});

describe.each(PATHS.map((path) => [`${path.method} ${path.path}`, path] as const))('%s', (_name, path) => {
  const refused = REFUSED.filter(
    (one) => one.on.includes(kindOf(path)) && (!one.onlyWhereCodeIsNeeded || needsIssuerCode(path)),
  );

  it.each(refused.map((one) => [one.who, one] as const))('is closed to %s', async (_who, one) => {
    const fallback = needsIssuerCode(path) ? 'sandbox' : null;
    const issuerCode = one.issuerCode === undefined ? fallback : one.issuerCode;
    const before = await tables.state();
    const sent = call(path, named, one.as, issuerCode);
    if (one.answer === 'no handshake') {
      await expect(sent).rejects.toThrow();
    } else {
      const answer = await sent;
      expect([answer.status, answer.body?.title]).toEqual(one.answer);
      const rows = await auditRows(answer.headers['x-request-id'] as string);
      const row = {
        action: 'call.refused',
        object_type: one.audited,
        result: 'DENIED',
        after: { title: one.answer[1] },
      };
      expect(rows).toEqual(one.audited === null ? [] : [row]);
    }
    expect(await tables.state()).toEqual(before);
  });

  const { route } = path;
  const strangers = STRANGERS.filter(
    (one) => one.on === kindOf(path) && (sampleIn[route.operation]?.ofPartner !== true || one.as === 'other'),
  );

  it.each(strangers.map((one) => [one.who, one] as const))('shows nothing to %s', async (_who, one) => {
    const issuerCode = one.always || needsIssuerCode(path) ? one.issuerCode : null;
    const { stranger } = sampleOf[route.operation] as Sample;
    const before = await tables.state();
    const answer = await call(path, named, one.as, issuerCode);
    switch (stranger) {
      case 'missing': {
        const missing = await call(path, NOTHING_NAMED, one.as, issuerCode);
        expect(answer.status).toBe(404);
        expect(answer.body).toEqual({
          title: expect.stringMatching(/_NOT_FOUND$/),
          detail: expect.any(String),
        });
        expect([answer.status, answer.text]).toEqual([missing.status, missing.text]);
        expect(await tables.state()).toEqual(before);
        return;
      }
      case 'list': {
        const own = idsIn(await call(path, named, 'demo', 'sandbox'));
        expect(answer.status).toBe(200);
        expect(own.length).toBeGreaterThan(0);
        expect(idsIn(answer).filter((id) => own.includes(id))).toEqual([]);
        expect(await tables.state()).toEqual(before);
        return;
      }
      case 'own': {
        expect([201, 202]).toContain(answer.status);
        if (answer.headers['location'] === undefined) {
          expect(answer.body.partnerId).toEqual(expect.any(String));
          expect(answer.body.partnerId).not.toBe(api.demo.partner.id);
          return;
        }
        const seen = await api.call('GET', answer.headers['location'] ?? '', {
          headers: { 'Issuer-Code': 'sandbox' },
        });
        expect(seen.status).toBe(404);
        return;
      }
      case 'none':
        throw new Error('a partner route has to say what strangers see');
    }
  });
});

describe('the same requests from those who may', () => {
  it.each(PATHS.map((path) => [`${path.method} ${path.path}`, path] as const))(
    '2xx: %s',
    async (_name, path) => {
      if (path.route.operation.toLowerCase().endsWith('unlockcard')) {
        await call(pathNamed('lockCard'), named, 'demo', null);
      }
      const kind = kindOf(path);
      const as = kind === 'processor' || kind === 'sponsor' ? kind : 'demo';
      const answer = await call(path, await namesFor(path), as, programmeNeeded(path) ? 'sandbox' : null);
      expect([answer.status, answer.body?.title]).toEqual([
        expect.toSatisfy((status: number) => status >= 200 && status < 300),
        undefined,
      ]);
    },
  );
});

describe('the public listener', () => {
  it('asks nobody who they are, and shows what it has without a write', async () => {
    const before = await tables.state();
    for (const path of allPaths(api.routes).filter((one) => one.channel === 'public')) {
      const answer = await api.call(path.method, fill(path.path, { providerCode: 'simulator' }), {
        as: 'nobody',
        listener: 'public',
        ...(path.method === 'GET' ? {} : { body: {} }),
      });
      const refused = path.path.startsWith('/webhooks/') ? 401 : 400;
      expect([path.path, answer.status]).toEqual([path.path, path.method === 'GET' ? 200 : refused]);
    }
    expect(await tables.state()).toEqual(before);
  });

  it('404: does not serve the paths of the certificate listener', async () => {
    const shared = new Set(
      allPaths(api.routes)
        .filter((one) => one.channel === 'public')
        .map((one) => one.path),
    );
    for (const path of PATHS.filter((one) => !shared.has(one.path))) {
      const answer = await api.call(path.method, fill(path.path), { as: 'nobody', listener: 'public' });
      expect([path.path, answer.status, answer.body.title]).toEqual([path.path, 404, 'NOT_FOUND']);
    }
  });
});

it('403 found late is audited too: a lock that only an operator may lift', async () => {
  const card = await aCard(api);
  await api.call('POST', `/secure/cards/${card.cardId}/lock`, { body: { reason: 3 } });
  await api.owner
    .updateTable('card_locks')
    .set({ placed_by: 'operator' })
    .where('card_id', '=', card.cardId)
    .execute();
  const before = await tables.state();
  const answer = await api.call('POST', `/secure/cards/${card.cardId}/unlock`);
  expect([answer.status, answer.body.title]).toEqual([403, 'LOCK_NOT_LIFTABLE']);
  expect(await auditRows(answer.headers['x-request-id'] as string)).toEqual([
    {
      action: 'call.refused',
      object_type: 'route',
      result: 'DENIED',
      after: { title: 'LOCK_NOT_LIFTABLE' },
    },
  ]);
  expect(await tables.state()).toEqual(before);
});
