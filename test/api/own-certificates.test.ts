import { randomUUID, X509Certificate } from 'node:crypto';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateRegistry } from '../../api/certificate-registry.ts';
import { noteCertificateUse } from '../../db/certificates.ts';
import { aCsr, GOOD_SUBJECT, greedyExtensions, P256 } from '../support/csr.ts';
import type { Client } from '../support/clients.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';

let api: ApiHarness;
let partnerId: number;

beforeAll(async () => {
  api = await startApi();
  const partner = await api.owner
    .selectFrom('partners')
    .select('partner_id')
    .where('code', '=', 'demo')
    .executeTakeFirstOrThrow();
  partnerId = partner.partner_id;
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

interface Holder {
  readonly label: string;
  readonly client: Client;
  readonly certificateId: string;
}

/** A certificate of the demo partner under a label of its own. */
async function aHolder(): Promise<Holder> {
  const label = randomUUID().slice(0, 8);
  const client = await api.addClient({ label, scopes: ['partner'], partnerId });
  const { certificate_id: certificateId } = await api.owner
    .selectFrom('certificates')
    .select('certificate_id')
    .where('fingerprint_sha256', '=', client.fingerprint)
    .executeTakeFirstOrThrow();
  return { label, client, certificateId };
}

const told = ({ status, body }: HttpAnswer) => [status, body?.title];

const renew = (holder: Holder, csr: string, more: object = {}) =>
  api.call('POST', '/secure/certificates', { as: holder.client, body: { csr, ...more } });

const revoke = (holder: Holder, certificateId: string) =>
  api.call('POST', `/secure/certificates/${certificateId}/revoke`, {
    as: holder.client,
    body: { reason: 'SUPERSEDED' },
  });

/** Status of a call on the certificate listener with what a renewal answered. */
async function statusWith(renewed: HttpAnswer, keyPem: string): Promise<number> {
  const { chainPem: ca, certificatePem: cert } = renewed.body;
  const agent = new Agent({ connect: { ca, cert, key: keyPem } });
  try {
    const answer = await request(`${api.certificateUrl}/secure/certificates`, { dispatcher: agent });
    await answer.body.dump();
    return answer.statusCode;
  } finally {
    await agent.destroy();
  }
}

describe('renewal by the holder', () => {
  it('gives a certificate that works at once beside the old one, which is then revoked with the new one', async () => {
    const holder = await aHolder();
    await api.owner
      .updateTable('certificates')
      .set({ programmes: ['sandbox'] })
      .where('certificate_id', '=', holder.certificateId)
      .execute();
    const made = await aCsr();
    const renewed = await renew(holder, made.csr, { validityDays: 30 });
    expect([renewed.status, renewed.body.state]).toEqual([201, 'ACTIVE']);
    expect(renewed.body).toMatchObject({ label: holder.label, scopes: ['partner'], programmes: ['sandbox'] });
    const life = Date.parse(renewed.body.notAfter) - Date.parse(renewed.body.notBefore);
    expect(life).toBe(30 * 86_400_000);
    expect(await statusWith(renewed, made.keyPem)).toBe(200);
    expect(told(await renew(holder, made.csr))).toEqual([409, 'CSR_KEY_REUSED']);

    const listed = await api.call('GET', '/secure/certificates?state=ACTIVE&limit=200', {
      as: holder.client,
    });
    const ofLabel = listed.body.items.filter((one: { label: string }) => one.label === holder.label);
    expect(ofLabel.map((one: { certificateId: string }) => one.certificateId).toSorted()).toEqual(
      [renewed.body.certificateId, holder.certificateId].toSorted(),
    );
    const { requestedBy } = renewed.body;
    expect(requestedBy).toBe(`certificate:${holder.certificateId}`);
    const rows = await api.owner
      .selectFrom('audit_log')
      .select(['action', 'actor_type'])
      .where('object_id', '=', renewed.body.certificateId)
      .execute();
    expect(rows).toEqual([{ action: 'certificate.renewed', actor_type: 'PARTNER' }]);

    const revoked = await revoke(holder, renewed.body.certificateId);
    expect([revoked.status, revoked.body.state]).toEqual([200, 'REVOKED']);
    const deadline = Date.now() + 5_000;
    while ((await statusWith(renewed, made.keyPem)) !== 401) expect(Date.now()).toBeLessThan(deadline);
  });

  it('gives neither rights of an authority nor another name', async () => {
    const holder = await aHolder();
    const subject = [{ CN: ['other partner'] }, ...GOOD_SUBJECT.slice(1)];
    const renewed = await renew(holder, (await aCsr(subject, P256, greedyExtensions())).csr);
    const certificate = new X509Certificate(renewed.body.certificatePem);
    expect([certificate.ca, certificate.subjectAltName]).toEqual([false, undefined]);
    expect(certificate.subject.split('\n')).toContain(`CN=demo-${holder.label}`);
  });

  it('is refused a third of one label, and what is no request', async () => {
    const holder = await aHolder();
    expect((await renew(holder, (await aCsr()).csr)).status).toBe(201);
    expect(told(await renew(holder, (await aCsr()).csr))).toEqual([409, 'CERTIFICATE_LIMIT']);
    expect(told(await renew(holder, 'nothing'))).toEqual([400, 'CSR_INVALID']);
    expect(told(await renew(holder, (await aCsr([{ CN: ['demo'] }])).csr))).toEqual([
      422,
      'CSR_SUBJECT_REJECTED',
    ]);
    const zero = await renew(holder, (await aCsr()).csr, { validityDays: 398 });
    expect(told(zero)).toEqual([400, 'VALIDATION_ERROR']);
  });

  it('two at once of one label get one certificate', async () => {
    const holder = await aHolder();
    const csrs = [(await aCsr()).csr, (await aCsr()).csr];
    const answers = await Promise.all(csrs.map((csr) => renew(holder, csr)));
    expect(answers.map((one) => one.status).toSorted()).toEqual([201, 409]);
  });

  it('a repeat under its key gives the same certificate', async () => {
    const holder = await aHolder();
    const { csr } = await aCsr();
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const send = () =>
      api.call('POST', '/secure/certificates', { as: holder.client, headers, body: { csr } });
    const first = await send();
    const second = await send();
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.serial).toBe(first.body.serial);
  });
});

it('a certificate that called is noted once, and its holder sees when', async () => {
  const holder = await aHolder();
  const registry = createCertificateRegistry(api.services.engine, Date.now);
  registry.used(holder.certificateId);
  registry.used(holder.certificateId);
  const ids = registry.takeUsed();
  expect([ids, registry.takeUsed()]).toEqual([[holder.certificateId], []]);
  const lastUsed = async () => {
    const listed = await api.call('GET', '/secure/certificates?limit=200', { as: holder.client });
    return listed.body.items.find(
      (one: { certificateId: string }) => one.certificateId === holder.certificateId,
    ).lastUsedAt;
  };
  expect(await lastUsed()).toBe(null);
  await noteCertificateUse(api.services.engine, ids);
  expect(Date.parse(await lastUsed())).toBeGreaterThan(Date.now() - 60_000);
});

describe('revocation by the holder', () => {
  it('409 for the certificate of the call itself, 404 for that of another partner', async () => {
    const holder = await aHolder();
    expect(told(await revoke(holder, holder.certificateId))).toEqual([409, 'STATE_CONFLICT']);
    const foreign = await api.owner
      .selectFrom('certificates')
      .innerJoin('partners', 'partners.partner_id', 'certificates.partner_id')
      .select('certificate_id')
      .where('partners.code', '=', 'other')
      .executeTakeFirstOrThrow();
    expect(told(await revoke(holder, foreign.certificate_id))).toEqual([404, 'CERTIFICATE_NOT_FOUND']);
    const listed = await api.call('GET', '/secure/certificates?limit=200', { as: holder.client });
    const ids = listed.body.items.map((one: { certificateId: string }) => one.certificateId);
    expect(ids).not.toContain(foreign.certificate_id);
  });
});
