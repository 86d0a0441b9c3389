import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aCsr,
  GOOD_SUBJECT,
  greedyExtensions,
  type MadeRequest,
  P256,
  twoFormsOfOneKey,
} from '../support/csr.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { adminCall, anOperator, moveClock, type TestOperator } from '../support/operators.ts';

let api: ApiHarness;
let asking: TestOperator;
let second: TestOperator;
let demoUuid: string;

beforeAll(async () => {
  api = await startApi();
  asking = await anOperator(api, { role: 'Admin', partner: 'demo' });
  second = await anOperator(api, { role: 'Admin', partner: 'demo' });
  const { public_id } = await api.owner
    .selectFrom('partners')
    .select('public_id')
    .where('code', '=', 'demo')
    .executeTakeFirstOrThrow();
  demoUuid = public_id;
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const post = (as: TestOperator, path: string, body: object = {}) =>
  adminCall(api, 'POST', `/admin/certificates${path}`, as, { body });

const ask = (made: MadeRequest, label: string, as = asking, more: object = {}) =>
  post(as, '', { csr: made.csr, label, scopes: ['partner'], ...more });

const titleOf = (answer: HttpAnswer): unknown[] => [answer.status, answer.body.title];

const issue = async (made: MadeRequest, label: string): Promise<HttpAnswer> => {
  const asked = await ask(made, label);
  expect([asked.status, asked.body.state]).toEqual([201, 'PENDING']);
  return await post(second, `/${asked.body.certificateId}/approve`);
};

/** A call on the certificate listener with a certificate that was just issued. */
async function callWith(issued: HttpAnswer, keyPem: string): Promise<number> {
  const agent = new Agent({
    connect: { ca: issued.body.chainPem, cert: issued.body.certificatePem, key: keyPem },
  });
  try {
    const answer = await request(`${api.certificateUrl}/secure/partner-balances`, { dispatcher: agent });
    await answer.body.dump();
    return answer.statusCode;
  } finally {
    await agent.destroy();
  }
}

describe('a request for a client certificate', () => {
  it('is signed by another Admin only, and then opens the listener until it is revoked', async () => {
    const made = await aCsr();
    const asked = await ask(made, 'life');
    const { certificateId } = asked.body;
    expect(titleOf(await post(asking, `/${certificateId}/approve`))).toEqual([403, 'SAME_PERSON']);
    const manager = await anOperator(api, { role: 'Manager', partner: 'demo' });
    expect(titleOf(await post(manager, `/${certificateId}/approve`))).toEqual([403, 'FORBIDDEN']);
    const issued = await post(second, `/${certificateId}/approve`);
    expect([issued.status, issued.body.state]).toEqual([200, 'ACTIVE']);
    expect(titleOf(await post(second, `/${certificateId}/approve`))).toEqual([409, 'STATE_CONFLICT']);
    const mails = await api.owner
      .selectFrom('outbox')
      .select('data')
      .where('kind', '=', 'certificateIssued')
      .where('subject_id', '=', certificateId)
      .execute();
    expect(mails).toMatchObject([{ data: { to: 'ops@demo.test', facts: { label: 'life' } } }]);
    expect(await callWith(issued, made.keyPem)).toBe(200);
    const revoked = await post(manager, `/${certificateId}/revoke`, { reason: 'KEY_COMPROMISE' });
    expect([revoked.status, revoked.body.state]).toEqual([200, 'REVOKED']);
    const deadline = Date.now() + 5_000;
    while ((await callWith(issued, made.keyPem)) !== 401) expect(Date.now()).toBeLessThan(deadline);
    const file = await api.bytes('/ca/crl.der');
    const list = new x509.X509Crl(new Uint8Array(file));
    expect(list.findRevoked(issued.body.serial)?.reason).toBe(x509.X509CrlReason.keyCompromise);
    const authority = new x509.X509Certificate(x509.PemConverter.decodeFirst(issued.body.chainPem));
    expect(await list.verify({ publicKey: authority })).toBe(true);
  });

  it('gets neither the rights of an authority nor names, however much it asks for them', async () => {
    const issued = await issue(await aCsr(GOOD_SUBJECT, P256, greedyExtensions()), 'greedy');
    const certificate = new X509Certificate(issued.body.certificatePem);
    expect([certificate.ca, certificate.subjectAltName]).toEqual([false, undefined]);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.subject.split('\n').toSorted()).toEqual([
      'C=PL',
      'CN=demo-greedy',
      expect.stringMatching(/^O=/),
      `OU=${demoUuid}`,
    ]);
    const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 86_400_000;
    expect(days).toBe(397);
  });

  it('is refused a third certificate of one label', async () => {
    expect((await issue(await aCsr(), 'twice')).status).toBe(200);
    expect((await issue(await aCsr(), 'twice')).status).toBe(200);
    expect(titleOf(await issue(await aCsr(), 'twice'))).toEqual([409, 'CERTIFICATE_LIMIT']);
  });

  it('with a key that was sent before is refused, whoever sends it', async () => {
    const made = await aCsr();
    expect((await ask(made, 'first')).status).toBe(201);
    expect(titleOf(await ask(made, 'second'))).toEqual([409, 'CSR_KEY_REUSED']);
    const other = await anOperator(api, { role: 'Admin', partner: 'other' });
    expect(titleOf(await ask(made, 'first', other))).toEqual([409, 'CSR_KEY_REUSED']);
  });

  it('is listed among the approvals, decided with its own calls, and its end is shown there', async () => {
    const listed = async (id: string, as = second) => {
      const query = `?kind=CERTIFICATE_ISSUE&subjectId=${id}`;
      return (await adminCall(api, 'GET', `/admin/approvals${query}`, as)).body.items[0];
    };
    const { certificateId } = (await ask(await aCsr(), 'listed')).body;
    const approval = await listed(certificateId);
    expect(approval).toMatchObject({
      state: 'PENDING',
      subject: { type: 'certificate', id: certificateId },
      requestedBy: asking.operatorId,
    });
    const path = `/admin/approvals/${approval.approvalId}`;
    const shown = await adminCall(api, 'GET', path, second);
    expect(shown.body.request.body.label).toBe('listed');
    for (const [as, call, body] of [
      [second, 'approve', {}],
      [second, 'reject', { reason: 'not here' }],
      [asking, 'cancel', undefined],
    ] as const) {
      const answer = await adminCall(api, 'POST', `${path}/${call}`, as, body === undefined ? {} : { body });
      expect(titleOf(answer)).toEqual([409, 'STATE_CONFLICT']);
    }
    expect((await post(second, `/${certificateId}/approve`)).status).toBe(200);
    expect(await listed(certificateId)).toMatchObject({ state: 'APPROVED', decidedBy: second.operatorId });
    // One that the platform asked for belongs to the partner, whose Admin decides it.
    const platform = await anOperator(api, { role: 'Manager' });
    const other = (await ask(await aCsr(), 'asked-above', platform, { partnerId: demoUuid })).body;
    expect((await listed(other.certificateId)).state).toBe('PENDING');
    await post(second, `/${other.certificateId}/reject`, { reason: 'not wanted' });
    expect(await listed(other.certificateId)).toMatchObject({ state: 'REJECTED', comment: 'not wanted' });
  });

  it('is ended only by an operator who gave a fresh code', async () => {
    const { certificateId } = (await issue(await aCsr(), 'fresh-code')).body;
    await moveClock(api.owner, 301);
    try {
      const revoked = await post(second, `/${certificateId}/revoke`, { reason: 'SUPERSEDED' });
      expect(titleOf(revoked)).toEqual([403, 'STEP_UP_REQUIRED']);
    } finally {
      await moveClock(api.owner, 0);
    }
    expect((await post(second, `/${certificateId}/revoke`, { reason: 'SUPERSEDED' })).body.state).toBe(
      'REVOKED',
    );
  });

  it('with such a key in another form is refused too, and a short form is issued in full', async () => {
    const once = twoFormsOfOneKey();
    expect((await ask(once.plain, 'form')).status).toBe(201);
    expect(titleOf(await ask(once.compressed, 'form'))).toEqual([409, 'CSR_KEY_REUSED']);
    const short = twoFormsOfOneKey().compressed;
    const issued = await issue(short, 'form-short');
    expect(issued.status).toBe(200);
    const { publicKey } = new X509Certificate(issued.body.certificatePem);
    expect(publicKey.export({ format: 'der', type: 'spki' })).toHaveLength(91);
    expect(await callWith(issued, short.keyPem)).toBe(200);
  });

  it('for more than a partner may is approved by the platform alone', async () => {
    const manager = await anOperator(api, { role: 'Manager' });
    const more = { scopes: ['partner', 'processor'], partnerId: demoUuid };
    const { certificateId } = (await ask(await aCsr(), 'wide', manager, more)).body;
    expect(titleOf(await post(second, `/${certificateId}/approve`))).toEqual([403, 'FORBIDDEN']);
    const platform = await anOperator(api, { role: 'Admin' });
    expect((await post(platform, `/${certificateId}/approve`)).body.state).toBe('ACTIVE');
  });

  it('has a serial of 128 random bits, and its list of revocations a number that grows', async () => {
    const issued = await issue(await aCsr(), 'serial');
    expect(issued.body.serial).toMatch(/^01[0-9a-f]{32}$/);
    expect(new X509Certificate(issued.body.certificatePem).serialNumber.toLowerCase()).toBe(
      issued.body.serial,
    );
    const numberOf = async (): Promise<bigint> => {
      const list = new x509.X509Crl(new Uint8Array(await api.bytes('/ca/crl.der')));
      const value = Buffer.from(list.getExtension('2.5.29.20')?.value ?? new ArrayBuffer(0));
      expect([...value.subarray(0, 2)]).toEqual([2, value.length - 2]);
      return BigInt(`0x${value.subarray(2).toString('hex')}`);
    };
    const first = await numberOf();
    await post(second, `/${issued.body.certificateId}/revoke`, { reason: 'SUPERSEDED' });
    expect(await numberOf()).toBeGreaterThan(first);
  });

  it('tells when it was last used', async () => {
    const made = await aCsr();
    const issued = await issue(made, 'used');
    const lastUsedAt = async (): Promise<string | null> =>
      (await adminCall(api, 'GET', `/admin/certificates/${issued.body.certificateId}`, second)).body
        .lastUsedAt;
    expect(await lastUsedAt()).toBe(null);
    const before = Date.now();
    expect(await callWith(issued, made.keyPem)).toBe(200);
    await expect.poll(lastUsedAt).not.toBe(null);
    expect(Date.parse((await lastUsedAt()) ?? '')).toBeGreaterThan(before - 1_000);
  });

  it('may be rejected, with a reason, by another than the requester, and is then over', async () => {
    const { certificateId } = (await ask(await aCsr(), 'rejected')).body;
    const own = await post(asking, `/${certificateId}/reject`, { reason: 'changed my mind' });
    expect(titleOf(own)).toEqual([403, 'SAME_PERSON']);
    const rejected = await post(second, `/${certificateId}/reject`, { reason: 'unknown sender' });
    expect([rejected.status, rejected.body.state]).toEqual([200, 'REJECTED']);
    expect(titleOf(await post(second, `/${certificateId}/approve`))).toEqual([409, 'STATE_CONFLICT']);
  });

  it('for more than a partner may is for the platform to give', async () => {
    const scopes = ['partner', 'processor'];
    expect(titleOf(await ask(await aCsr(), 'more', asking, { scopes }))).toEqual([403, 'FORBIDDEN']);
    expect(titleOf(await ask(await aCsr(), 'more', asking, { programmes: ['other'] }))).toEqual([
      403,
      'ISSUER_CODE_NOT_ALLOWED',
    ]);
    const platform = await anOperator(api, { role: 'Admin' });
    const asked = await ask(await aCsr(), 'ims', platform, { scopes: ['ims'] });
    expect([asked.status, asked.body.partnerId]).toEqual([201, null]);
  });

  const SUBJECTS: readonly (readonly [string, x509.JsonName | x509.Name])[] = [
    ['a comma', [{ CN: ['a, b'] }, { E: ['a@b.test'] }]],
    ['no e-mail', [{ CN: ['demo'] }]],
    ['no name', [{ E: ['a@b.test'] }]],
    ['an unknown part', [...GOOD_SUBJECT, { '2.5.4.5': ['123'] }]],
    ['several values in a part', [{ CN: ['demo'], O: ['Demo'] }, { E: ['a@b.test'] }]],
    ['a part twice', [...GOOD_SUBJECT, { CN: ['other'] }]],
    ['the unit of somebody else', [...GOOD_SUBJECT, { OU: ['11111111-1111-4111-8111-111111111111'] }]],
    ['no such country', [{ CN: ['demo'] }, { E: ['a@b.test'] }, { C: ['XX'] }]],
    ['DER in text form', placed('#0c03612c62')],
    ['what only looks like it', placed('#zz')],
    ['a control character', placed('a\nb')],
  ];
  it.each(SUBJECTS)('422 CSR_SUBJECT_REJECTED: %s', async (_what, subject) => {
    expect(titleOf(await ask(await aCsr(subject), 'subject'))).toEqual([422, 'CSR_SUBJECT_REJECTED']);
  });

  it('keeps the letters of a place as they were sent', async () => {
    const place = 'Łódź "a" \\b=c';
    const issued = await issue(await aCsr(placed(place)), 'letters');
    const certificate = new x509.X509Certificate(issued.body.certificatePem);
    expect(certificate.subjectName.getField('L')).toEqual([place]);
  });

  it('takes the own unit', async () => {
    const made = await aCsr([...GOOD_SUBJECT, { OU: [demoUuid] }]);
    expect((await ask(made, 'unit')).status).toBe(201);
  });

  it.each([
    ['RSA of 1024 bits', { ...rsa(1024) }],
    ['P-521', { ...P256, namedCurve: 'P-521' }],
    ['Ed25519', { name: 'Ed25519' }],
  ])('422 CSR_KEY_REJECTED: %s', async (_what, algorithm) => {
    expect(titleOf(await ask(await aCsr(GOOD_SUBJECT, algorithm), 'key'))).toEqual([422, 'CSR_KEY_REJECTED']);
  });

  it('400 CSR_INVALID: no request, a broken signature, SHA-1, too long', async () => {
    const good = await aCsr();
    const der = Buffer.from(x509.PemConverter.decodeFirst(good.csr));
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
    const broken = x509.PemConverter.encode(new Uint8Array(der).buffer, 'CERTIFICATE REQUEST');
    const sha1 = await aCsr(GOOD_SUBJECT, { ...rsa(2048), hash: 'SHA-1' });
    for (const csr of ['', 'hello', broken, sha1.csr, good.csr + '\n'.repeat(17_000)]) {
      expect(titleOf(await ask({ ...good, csr }, 'invalid'))).toEqual([400, 'CSR_INVALID']);
    }
  });
});

/** A subject with a locality that is sent letter by letter. */
function placed(locality: string): x509.Name {
  return new x509.Name([...GOOD_SUBJECT, { L: [{ utf8String: locality }] }]);
}

function rsa(modulusLength: number) {
  return {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
}
