import { createHmac, randomInt, randomUUID } from 'node:crypto';
import { FormData as MultipartForm } from 'undici';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDocument } from '../../vault/document-store.ts';
import { type ApiHarness, type CallOptions, startApi } from '../support/harness.ts';
import { readable } from '../support/readable.ts';
import { aFile, aFlatJpeg, aJpeg, aPdf, aPng } from '../support/pictures.ts';

let api: ApiHarness;
let jpeg: Buffer;

beforeAll(async () => {
  api = await startApi();
  jpeg = await aJpeg(undefined, 'taken at home');
}, 120_000);
afterAll(() => api.stop());

async function aUser(issuerCode: string, changes: object = {}): Promise<number> {
  const number = randomInt(100_000_000, 999_999_999);
  const answer = await api.call('POST', '/lifecycle/v1/wallet', {
    headers: { 'Issuer-Code': issuerCode },
    body: {
      firstName: 'Leon',
      lastName: 'Kowal',
      phone: `48${number}`,
      email: `leon${number}@example.com`,
      birthDate: '1970-01-01',
      ...changes,
    },
  });
  expect(answer.status).toBe(201);
  return answer.body.id;
}

/** The form of the documents' quick start; a member that is null is left out. */
function form(changes: Record<string, string | Blob | null> = {}): FormData {
  const fields: Record<string, string | Blob | null> = {
    firstName: 'Leon',
    lastName: 'Kowal',
    imageFace: aFile(jpeg),
    street: 'Pieklo',
    pesel: '70010155587',
    number: '17a',
    city: 'Lublin',
    birthDate: '1970-01-01',
    postCode: '20-128',
    imageFront: aFile(jpeg),
    imageBack: aFile(jpeg),
    identityCardNo: 'ASD123456',
    apartment: '2',
    documentType: 'passport',
    country: 'PL',
    documentExpirationDate: '2035-01-30',
    nationality: 'polish',
    riskLvl: 'LOW',
    ...changes,
  };
  const data = new MultipartForm();
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Blob) data.set(name, value, `${name}.jpg`);
    else if (value !== null) data.set(name, value);
  }
  return data as unknown as FormData;
}

const send = (userId: number, data: FormData = form(), options: CallOptions = {}, path = 'verification') =>
  api.call('POST', `/secure/customers/${userId}/${path}`, { form: data, ...options });

const titleOf = (answer: { status: number; body: { title: string } }) => [answer.status, answer.body.title];
const fieldsOf = (answer: { body: { errors: { field: string }[] } }) =>
  answer.body.errors.map((one) => one.field).toSorted();

const kycOf = async (userId: number) =>
  (await api.call('GET', `/lifecycle/v1/users/${userId}`, { headers: { 'Issuer-Code': 'credit' } })).body.kyc;

describe('200 and 201', () => {
  it('takes the documented form where the partner verifies: accepted at once, nothing else happens', async () => {
    const userId = await aUser('sandbox', { kyc: 'SUCCESS' });
    const answer = await send(userId, form({ documentExpirationDate: '2025-01-30' }));
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.body)).toEqual([
      'verificationId',
      'userId',
      'status',
      'reason',
      'source',
      'channel',
      'createdAt',
      'decidedAt',
    ]);
    expect(answer.body).toMatchObject({
      userId,
      status: 'ACCEPTED',
      reason: null,
      source: 'EXTERNAL',
      channel: 'SERVER',
    });
    expect(answer.body.decidedAt).toBe(answer.body.createdAt);
    expect(answer.headers['location']).toBe(
      `/secure/customers/${userId}/verifications/${answer.body.verificationId}`,
    );
  });

  it('starts the platform’s own verification, and reads it by every path', async () => {
    const userId = await aUser('credit');
    const sent = await send(userId, form(), {}, 'register');
    expect(sent.body).toMatchObject({ status: 'IN_PROGRESS', source: 'INTERNAL', decidedAt: null });
    expect(await kycOf(userId)).toBe('IN_PROGRESS');
    const { verificationId } = sent.body;
    for (const path of [
      'verification',
      `verifications/${verificationId}`,
      `verifications/${verificationId.toUpperCase()}`,
    ]) {
      const read = await api.call('GET', `/secure/customers/${userId}/${path}`);
      expect(read.status).toBe(200);
      expect(read.body).toEqual(sent.body);
    }
    const list = await api.call('GET', `/secure/customers/${userId}/verifications?limit=1`);
    expect(list.body).toEqual({ items: [sent.body], nextCursor: null });
    const started = await api.owner
      .selectFrom('outbox')
      .select('kind')
      .where('subject_id', 'in', [verificationId, `customer-verification:${verificationId}`])
      .execute();
    expect(started.map((row) => row.kind)).toContain('customer-verification');
  });

  it.each([{ riskLvl: null }, { riskLvl: 'LOW', pep: 'false' }])(
    'takes nothing back that is known of a user: %o leaves risk and exposure as they are',
    async (said) => {
      const userId = await aUser('credit', { riskLvl: 'HIGH' });
      const marksOf = async () => {
        const { verificationId } = (await send(userId, form(said))).body;
        return await api.owner
          .selectFrom('verifications')
          .select(['risk_level', 'pep'])
          .where('verification_id', '=', verificationId)
          .executeTakeFirst();
      };
      expect(await marksOf()).toEqual({ risk_level: 'HIGH', pep: false });
      await api.owner
        .updateTable('verifications')
        .set({ status: 'REJECTED', stage: 'CLOSED' })
        .where('customer_id', '=', userId)
        .execute();
      await api.owner.updateTable('customers').set({ pep: true }).where('customer_id', '=', userId).execute();
      expect(await marksOf()).toEqual({ risk_level: 'HIGH', pep: true });
    },
  );

  it('keeps pictures encrypted, decoded and encoded again, without their metadata', async () => {
    const userId = await aUser('sandbox');
    const { verificationId } = (await send(userId)).body;
    const rows = await api.owner
      .selectFrom('verification_documents')
      .selectAll()
      .where('verification_id', '=', verificationId)
      .execute();
    expect(rows.map((row) => row.kind).toSorted()).toEqual(['BACK', 'FACE', 'FRONT']);
    const key = await api.owner
      .selectFrom('subject_keys')
      .innerJoin('customers', 'customers.subject_id', 'subject_keys.subject_id')
      .selectAll('subject_keys')
      .where('customer_id', '=', userId)
      .executeTakeFirstOrThrow();
    const content = await readDocument(api.vault, api.services.documents, {
      subjectKey: {
        subjectId: key.subject_id,
        partnerId: key.partner_id,
        wrapped: key.wrapped,
        kekVersion: key.kek_version,
      },
      key: rows[0]?.store_key ?? '',
    });
    expect(content.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
    expect(jpeg.includes('taken at home')).toBe(true);
    expect(content.includes('taken at home')).toBe(false);
  });

  it('keeps nothing of an archive that hangs on a picture', async () => {
    const userId = await aUser('sandbox');
    const polyglot = Buffer.concat([jpeg, aZip()]);
    const { status, body } = await send(userId, form({ imageFace: aFile(polyglot) }));
    expect(status).toBe(201);
    const rows = await api.owner
      .selectFrom('verification_documents')
      .select(['kind', 'bytes'])
      .where('verification_id', '=', body.verificationId)
      .where('kind', '=', 'FACE')
      .execute();
    const clean = await sharp(jpeg).rotate().jpeg({ quality: 90 }).toBuffer();
    expect(rows).toEqual([{ kind: 'FACE', bytes: clean.length }]);
  });

  it('needs no back of a passport, takes PNG, and PDF for documents', async () => {
    const userId = await aUser('sandbox');
    const data = form({
      imageFace: aFile(await aPng(), 'image/png'),
      imageFront: aFile(aPdf(), 'application/pdf'),
      imageBack: null,
    });
    expect((await send(userId, data)).status).toBe(201);
  });

  it('flags what a reviewer should see', async () => {
    const userId = await aUser('credit');
    const { verificationId } = (await send(userId, form({ lastName: 'Other', pep: 'true' }))).body;
    const row = await api.owner
      .selectFrom('verifications')
      .select(['flags', 'pep', 'risk_level'])
      .where('verification_id', '=', verificationId)
      .executeTakeFirstOrThrow();
    expect(row).toEqual({
      flags: ['PESEL_CHECKSUM', 'NAME_DIFFERS', 'PEP_DECLARED'],
      pep: true,
      risk_level: 'HIGH',
    });
  });

  it('answers the same key with the same verification', async () => {
    const userId = await aUser('credit');
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const first = await send(userId, form(), { headers });
    const again = await send(userId, form(), { headers });
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
    expect(again.headers['idempotency-replayed']).toBe('true');
  });
});

describe('400', () => {
  it('names all faults of the form at once', async () => {
    const userId = await aUser('sandbox');
    const answer = await send(
      userId,
      form({
        pesel: '123',
        country: 'ZZ',
        identityCardNo: 'a b',
        documentType: 'identity_card',
        imageBack: null,
        documentExpirationDate: 'soon',
        riskLvl: 'NONE',
        pep: 'maybe',
        street: null,
        surprise: 'x',
        postCode: '20_128',
      }),
    );
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual(
      [
        'pesel',
        'country',
        'identityCardNo',
        'imageBack',
        'documentExpirationDate',
        'riskLvl',
        'pep',
        'street',
        'surprise',
        'postCode',
      ].toSorted(),
    );
  });

  it('refuses a text where a picture belongs, and no picture at all', async () => {
    const userId = await aUser('sandbox');
    expect(fieldsOf(await send(userId, form({ imageFace: 'no picture', imageFront: null })))).toEqual([
      'imageFace',
      'imageFront',
    ]);
  });
});

describe('401 and 403', () => {
  it('serves only registered partners', async () => {
    const userId = await aUser('sandbox');
    expect(titleOf(await send(userId, form(), { as: 'unregistered' }))).toEqual([
      401,
      'CERTIFICATE_NOT_TRUSTED',
    ]);
    expect(titleOf(await send(userId, form(), { as: 'processor' }))).toEqual([403, 'FORBIDDEN']);
  });
});

describe('404', () => {
  it("answers somebody else's user exactly like one that never was, and stores nothing", async () => {
    const userId = await aUser('sandbox');
    const never = await send(9_007_199_254_740_991);
    expect(titleOf(never)).toEqual([404, 'USER_NOT_FOUND']);
    const foreign = await send(userId, form(), { as: 'other' });
    const elsewhere = await send(userId, form(), { headers: { 'Issuer-Code': 'credit' } });
    expect([foreign.body, elsewhere.body]).toEqual([never.body, never.body]);
    const latest = await api.call('GET', `/secure/customers/${userId}/verification`);
    expect(titleOf(latest)).toEqual([404, 'VERIFICATION_NOT_FOUND']);
  });

  it("does not show another customer's verification", async () => {
    const [mine, yours] = [await aUser('sandbox'), await aUser('sandbox')];
    const { verificationId } = (await send(mine)).body;
    const read = await api.call('GET', `/secure/customers/${yours}/verifications/${verificationId}`);
    expect(titleOf(read)).toEqual([404, 'VERIFICATION_NOT_FOUND']);
  });
});

describe('409', () => {
  it('refuses a second form while the first waits, and repeats that for its key', async () => {
    const userId = await aUser('credit');
    expect((await send(userId)).status).toBe(201);
    const headers = { 'X-Idempotency-Key': randomUUID() };
    for (const _try of [1, 2]) {
      expect(titleOf(await send(userId, form(), { headers }))).toEqual([409, 'VERIFICATION_IN_PROGRESS']);
    }
  });

  it('keeps kyc as it is while a verification runs', async () => {
    const userId = await aUser('credit');
    await send(userId);
    const answer = await api.call('PUT', `/lifecycle/v1/users/${userId}`, {
      headers: { 'Issuer-Code': 'credit' },
      body: { kyc: 'SUCCESS' },
    });
    expect(titleOf(answer)).toEqual([409, 'VERIFICATION_IN_PROGRESS']);
  });
});

/** An archive without entries, long enough to be looked into. */
const aZip = () => Buffer.from(`PK\x03\x04${'z'.repeat(20_000)}PK\x05\x06${'\0'.repeat(18)}`, 'latin1');
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';

describe('413 and 415', () => {
  it('refuses a file of more than 10 MB, and a form of more than 32 MB', async () => {
    const userId = await aUser('sandbox');
    const large = Buffer.concat([jpeg, Buffer.alloc(10_000_001 - jpeg.length)]);
    expect(titleOf(await send(userId, form({ imageFace: aFile(large) })))).toEqual([
      413,
      'PAYLOAD_TOO_LARGE',
    ]);
    const huge = Buffer.alloc(33_000_000);
    const answer = await send(userId, form({ imageFace: aFile(huge) })).catch(() => null);
    // The server may hang up on a client that goes on sending.
    if (answer !== null) expect(titleOf(answer)).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });

  it.each([
    ['a PNG that says it is a JPEG', async () => ({ imageFace: aFile(await aPng(), 'image/jpeg') })],
    ['a JPEG that says it is a PNG', async () => ({ imageFace: aFile(jpeg, 'image/png') })],
    [
      'a page of HTML',
      async () => ({ imageFace: aFile(Buffer.from('<html>'.padEnd(20_000, ' ')), 'image/jpeg') }),
    ],
    ['a PDF for a face', async () => ({ imageFace: aFile(aPdf(), 'application/pdf') })],
    [
      'a PDF with a script',
      async () => ({
        imageFront: aFile(aPdf('<< /OpenAction << /S /JavaScript /JS (x) >> >>'), 'application/pdf'),
      }),
    ],
    [
      'a PDF with a hidden script',
      async () => ({
        imageFront: aFile(aPdf('<< /S /J#61vaScript >>'), 'application/pdf'),
      }),
    ],
    [
      'a PDF that is an archive too',
      async () => ({ imageFront: aFile(Buffer.concat([aPdf(), aZip()]), 'application/pdf') }),
    ],
    ['an archive', async () => ({ imageFront: aFile(aZip(), 'image/jpeg') })],
    [
      'a drawing of markup',
      async () => ({ imageFront: aFile(Buffer.from(SVG.padEnd(20_000, ' ')), 'image/png') }),
    ],
    [
      'a program',
      async () => ({ imageFront: aFile(Buffer.from('<?php x();'.padEnd(20_000, ' ')), 'image/jpeg') }),
    ],
  ])('refuses %s', async (_name, change) => {
    const userId = await aUser('sandbox');
    expect(titleOf(await send(userId, form(await change())))).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  it('refuses a body that is no form', async () => {
    const userId = await aUser('sandbox');
    const answer = await api.call('POST', `/secure/customers/${userId}/register`, { body: {} });
    expect(titleOf(answer)).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });
});

describe('422', () => {
  it.each([
    ['too small on one side', async () => aJpeg({ width: 1200, height: 299 })],
    ['of too many pixels', async () => aFlatJpeg({ width: 6400, height: 6300 })],
    ['of too few bytes', async () => jpeg.subarray(0, 9_000)],
    ['broken off', async () => jpeg.subarray(0, 30_000)],
  ])('refuses a picture that is %s', async (_name, picture) => {
    const userId = await aUser('sandbox');
    const answer = await send(userId, form({ imageFront: aFile(await picture()) }));
    expect(titleOf(answer)).toEqual([422, 'DOCUMENT_UNREADABLE']);
  });

  it('refuses an old document where the platform verifies', async () => {
    const userId = await aUser('credit');
    const data = form({ documentExpirationDate: '2025-01-30' });
    expect(titleOf(await send(userId, data))).toEqual([422, 'DOCUMENT_EXPIRED']);
    expect(await kycOf(userId)).toBe('NOT_STARTED');
  });

  it('refuses a child, and a locked user', async () => {
    const userId = await aUser('sandbox');
    const child = form({ birthDate: `${new Date().getUTCFullYear() - 10}-01-01` });
    expect(titleOf(await send(userId, child))).toEqual([422, 'UNDERAGE']);
    await api.owner
      .updateTable('customers')
      .set({ state: 'LOCKED' })
      .where('customer_id', '=', userId)
      .execute();
    expect(titleOf(await send(userId))).toEqual([422, 'USER_NOT_ACTIVE']);
  });

  it('leaves neither rows nor files behind', async () => {
    const userId = await aUser('sandbox');
    await send(userId, form({ imageFront: aFile(await aJpeg({ width: 200, height: 200 })) }));
    const rows = await api.owner
      .selectFrom('verifications')
      .select('verification_id')
      .where('customer_id', '=', userId)
      .execute();
    expect(rows).toEqual([]);
  });
});

describe('429', () => {
  it('takes five forms of a user in a day', async () => {
    const userId = await aUser('sandbox');
    for (let n = 0; n < 5; n += 1) expect((await send(userId)).status).toBe(201);
    const sixth = await send(userId);
    expect(titleOf(sixth)).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(Number(sixth.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe("a provider's webhook", () => {
  const event = (changes: object = {}) => ({
    eventId: `ev-${randomUUID()}`,
    type: 'check.completed',
    checkId: 'ch-1',
    applicantId: 'ap-1',
    externalId: randomUUID(),
    outcome: 'APPROVED',
    reasons: [],
    occurredAt: '2026-11-20T10:04:00.000Z',
    ...changes,
  });

  const post = (
    body: object | string,
    options: { secret?: string; ageSeconds?: number; provider?: string; signature?: string } = {},
  ) => {
    const { secret = 'whsec_one', ageSeconds = 0, provider = 'simulator', signature } = options;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const seconds = Math.floor(Date.now() / 1000) - ageSeconds;
    const made = createHmac('sha256', secret).update(`${seconds}.${text}`).digest('hex');
    return api.call('POST', `/webhooks/kyc/${provider}`, {
      listener: 'public',
      body: text,
      headers: { 'X-Signature': signature ?? `t=${seconds},v1=${made}` },
    });
  };

  const signals = async (verificationId: string) =>
    await api.owner
      .selectFrom('outbox')
      .select('data')
      .where('subject_id', '=', `customer-verification:${verificationId}`)
      .where('kind', '=', 'provider-result')
      .execute();

  it('204: the event is kept and its workflow told once, however often and under whichever live secret', async () => {
    const userId = await aUser('credit');
    const { verificationId } = (await send(userId)).body;
    const told = event({ externalId: verificationId });
    for (const secret of ['whsec_one', 'whsec_two']) {
      expect((await post(told, { secret })).status).toBe(204);
    }
    expect(await signals(verificationId)).toEqual([
      { data: { externalId: verificationId, eventId: told.eventId, checkId: 'ch-1' } },
    ]);
  });

  it('204: an event of nothing we know has no effect', async () => {
    expect((await post(event())).status).toBe(204);
    expect((await post(event({ externalId: 'person-7' }))).status).toBe(204);
  });

  it('401: a wrong, missing, old or early signature', async () => {
    const told = event();
    const answers = [
      await post(told, { secret: 'whsec_three' }),
      await post(told, { signature: '' }),
      await post(told, { signature: 't=1,v1=00' }),
      await post(told, { ageSeconds: 301 }),
      await post(told, { ageSeconds: -302 }),
    ];
    expect(answers.map((one) => one.status)).toEqual([401, 401, 401, 401, 401]);
    expect((await post(told, { ageSeconds: 290 })).status).toBe(204);
  });

  it('400: a body that is not an event', async () => {
    expect((await post(event({ eventId: undefined }))).status).toBe(400);
    expect((await post('{"eventId":')).status).toBe(400);
  });

  it('404: an unknown provider, whatever it sends', async () => {
    expect((await post(event(), { provider: 'nobody' })).status).toBe(404);
    expect((await post({}, { provider: 'nobody', signature: '' })).status).toBe(404);
  });

  it('401 before anything is said of the body', async () => {
    for (const body of ['{}', '{"eventId":', 'no json']) {
      const answer = await post(body, { signature: 't=1,v1=00' });
      expect([answer.status, answer.body.title, answer.body.errors]).toEqual([
        401,
        'UNAUTHENTICATED',
        undefined,
      ]);
    }
  });

  it('413: more than 16 kB', async () => {
    expect((await post(event({ type: 'x'.repeat(17_000) }))).status).toBe(413);
  });
});

describe('at rest', () => {
  it('keeps the form out of tables and logs', async () => {
    const userId = await aUser('sandbox');
    await send(userId, form({ street: 'Unmistakable Street', identityCardNo: 'SECRETDOC77' }));
    for (const table of [
      'verifications',
      'verification_documents',
      'audit_log',
      'outbox',
      'idempotency_keys',
    ] as const) {
      const rows = readable(await api.owner.selectFrom(table).selectAll().execute());
      for (const value of ['Unmistakable', 'SECRETDOC77']) expect(rows).not.toContain(value);
    }
    expect(api.logLines().join('\n')).not.toContain('SECRETDOC77');
  });
});
