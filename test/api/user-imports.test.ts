import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FormData as MultipartForm } from 'undici';
import { type ApiHarness, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
}, 120_000);
afterAll(() => api.stop());

const NOBODY = '11111111-1111-4111-8111-111111111111';
const HEADER = 'firstName,lastName,phone,email,birthDate';
const LINE = 'Ada,Nowak,48111222333,ada@import.test,1990-04-12';

const call = (method: string, path: string, headers: Record<string, string> = {}) =>
  api.call(method, `/lifecycle/v1/imports/users${path}`, {
    headers: { 'Issuer-Code': 'sandbox', ...headers },
  });

function send(
  content: string | Buffer,
  fields: Readonly<Record<string, string>> = {},
  { type = 'text/csv', headers = {} }: { type?: string; headers?: Record<string, string> } = {},
) {
  const form = new MultipartForm();
  const bytes = typeof content === 'string' ? content : new Uint8Array(content);
  form.set('file', new Blob([bytes], { type }), 'users.csv');
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return api.call('POST', '/lifecycle/v1/imports/users', {
    headers: { 'Issuer-Code': 'sandbox', ...headers },
    form: form as unknown as FormData,
  });
}

const titleOf = (answer: { status: number; body: { title?: string } | null }) => [
  answer.status,
  answer.body?.title,
];

describe('a file of users', () => {
  it('202: is received, kept sealed, and asks for its workflow', async () => {
    const answer = await send(`${HEADER}\n${LINE}`, { mode: 'create', dryRun: 'true' });
    expect([answer.status, answer.body]).toEqual([
      202,
      { importId: answer.body.importId, state: 'RECEIVED' },
    ]);
    const { importId } = answer.body;
    expect(answer.headers['location']).toBe(`/lifecycle/v1/imports/users/${importId}`);
    expect((await call('GET', `/${importId}`)).body).toMatchObject({
      importId,
      state: 'RECEIVED',
      mode: 'CREATE',
      dryRun: true,
      rows: null,
      created: 0,
      failed: 0,
      finishedAt: null,
    });
    const started = await api.owner
      .selectFrom('outbox')
      .select('kind')
      .where('subject_id', '=', `user-import:${importId}`)
      .execute();
    expect(started).toEqual([{ kind: 'user-import' }]);
  });

  it('is received once for an idempotency key', async () => {
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const first = await send(`${HEADER}\n${LINE}`, {}, { headers });
    const again = await send(`${HEADER}\n${LINE}`, {}, { headers });
    expect([again.status, again.body]).toEqual([202, first.body]);
    expect(titleOf(await send(`${HEADER}\n${LINE}x`, {}, { headers }))).toEqual([
      422,
      'IDEMPOTENCY_KEY_REUSED',
    ]);
  });

  it.each<[string, string | Buffer, object, string | undefined, number, string]>([
    ['a picture', Buffer.from([0xff, 0xd8, 0xff, 0x00]), {}, undefined, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['another declared type', `${HEADER}\n${LINE}`, {}, 'application/pdf', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a file without text', '', {}, undefined, 422, 'IMPORT_HEADER_INVALID'],
    ['a header that lacks a column', `firstName\nAda`, {}, undefined, 422, 'IMPORT_HEADER_INVALID'],
    ['an unknown column', `${HEADER},shoeSize\n${LINE},39`, {}, undefined, 422, 'IMPORT_HEADER_INVALID'],
    ['a column twice', `${HEADER},phone\n${LINE},1`, {}, undefined, 422, 'IMPORT_HEADER_INVALID'],
    ['half an address', `${HEADER},street\n${LINE},x`, {}, undefined, 422, 'IMPORT_HEADER_INVALID'],
    [
      'UPSERT without externalId',
      `${HEADER}\n${LINE}`,
      { mode: 'UPSERT' },
      undefined,
      422,
      'IMPORT_HEADER_INVALID',
    ],
    ['100,001 rows', `${HEADER}\n${'a\n'.repeat(100_001)}`, {}, undefined, 422, 'IMPORT_TOO_LONG'],
    ['more than 20 MB', `${HEADER}\n${'a'.repeat(20_000_000)}`, {}, undefined, 413, 'PAYLOAD_TOO_LARGE'],
    ['an unknown mode', `${HEADER}\n${LINE}`, { mode: 'REPLACE' }, undefined, 400, 'VALIDATION_ERROR'],
  ])('refuses %s', async (_what, content, fields, type, status, title) => {
    const answer = await send(content, { ...fields }, type === undefined ? {} : { type });
    expect(titleOf(answer)).toEqual([status, title]);
  });

  it('may have 100,000 rows, a byte order mark and semicolons', async () => {
    const content = `\uFEFF${HEADER.replaceAll(',', ';')}\r\n${'a\r\n'.repeat(100_000)}`;
    expect((await send(content)).status).toBe(202);
  });
});

describe('an import', () => {
  /** As its workflow leaves one. */
  async function anImport(state: 'RUNNING' | 'DONE'): Promise<string> {
    const { importId } = (await send(`${HEADER}\n${LINE}`)).body;
    const row = { import_id: importId, customer_id: null, title: null, field: null };
    const { partner_id } = await api.owner
      .updateTable('user_imports')
      .set({ state, rows: 3, finished_at: state === 'DONE' ? new Date() : null })
      .where('import_id', '=', importId)
      .returning('partner_id')
      .executeTakeFirstOrThrow();
    await api.owner
      .insertInto('user_import_rows')
      .values([
        { ...row, partner_id, row_no: 1, status: 'CREATED', customer_id: 1337 },
        { ...row, partner_id, row_no: 2, status: 'FAILED', title: 'VALIDATION_ERROR', field: '=phone,"x"' },
        { ...row, partner_id, row_no: 3, status: 'SKIPPED', customer_id: 1338 },
      ])
      .execute();
    return importId as string;
  }

  it('shows its progress, its rows page by page, and those of one status', async () => {
    const importId = await anImport('RUNNING');
    expect((await call('GET', `/${importId}`)).body).toMatchObject({
      state: 'RUNNING',
      rows: 3,
      created: 1,
      updated: 0,
      skipped: 1,
      failed: 1,
    });
    const first = await call('GET', `/${importId}/rows?limit=2`);
    expect(first.body.items.map((one: { row: number }) => one.row)).toEqual([1, 2]);
    const second = await call('GET', `/${importId}/rows?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body).toEqual({
      items: [{ row: 3, status: 'SKIPPED', userId: 1338, title: null, field: null }],
      nextCursor: null,
    });
    const failed = await call('GET', `/${importId}/rows?status=failed`);
    expect(failed.body.items.map((one: { row: number }) => one.row)).toEqual([2]);
  });

  it('gives its report as CSV at its end, where no cell is a formula', async () => {
    expect(titleOf(await call('GET', `/${await anImport('RUNNING')}/report`))).toEqual([
      409,
      'STATE_CONFLICT',
    ]);
    const report = await call('GET', `/${await anImport('DONE')}/report`);
    expect([report.status, report.headers['content-type']]).toEqual([200, 'text/csv; charset=UTF-8']);
    expect(report.text).toBe(
      [
        'row,status,userId,title,field',
        '1,CREATED,1337,,',
        `2,FAILED,,VALIDATION_ERROR,"'=phone,""x"""`,
        '3,SKIPPED,1338,,',
        '',
      ].join('\r\n'),
    );
  });

  it('202: is cancelled before its end, 409 after it, 404 where there is none', async () => {
    const importId = await anImport('RUNNING');
    const answer = await call('POST', `/${importId}/cancel`);
    expect([answer.status, answer.body]).toEqual([202, { importId, state: 'RUNNING' }]);
    expect(titleOf(await call('POST', `/${await anImport('DONE')}/cancel`))).toEqual([409, 'STATE_CONFLICT']);
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/rows'],
      ['GET', '/report'],
      ['POST', '/cancel'],
    ] as const) {
      expect(titleOf(await call(method, `/${NOBODY}${path}`))).toEqual([404, 'IMPORT_NOT_FOUND']);
      const stranger = await call(method, `/${importId}${path}`, { 'Issuer-Code': 'credit' });
      expect(titleOf(stranger)).toEqual([404, 'IMPORT_NOT_FOUND']);
    }
  });
});
