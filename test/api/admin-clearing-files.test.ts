import { afterAll, beforeAll, expect, it } from 'vitest';
import { clearingUpload } from '../support/admin-samples.ts';
import { aClearingFile } from '../support/clearing-file.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { adminCall, anOperator, type TestOperator } from '../support/operators.ts';

let api: ApiHarness;
let manager: TestOperator;

beforeAll(async () => {
  api = await startApi();
  manager = await anOperator(api, { role: 'Manager' });
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const send = (bytes: Buffer, processor?: string, as = manager): Promise<HttpAnswer> =>
  adminCall(api, 'POST', '/admin/clearing-files', as, { form: clearingUpload(bytes, processor) });

const told = ({ status, body }: HttpAnswer) => [status, body?.title];

const startsOf = (fileId: string) =>
  api.owner
    .selectFrom('outbox')
    .select('id')
    .where('destination', '=', 'workflow')
    .where('subject_id', '=', `clearing-file:${fileId}`)
    .execute();

it('a file that an operator hands in is queued with its bytes, once', async () => {
  const { bytes, announced } = aClearingFile([]);
  const first = await send(bytes);
  expect([first.status, first.body.status, first.body.source]).toEqual([201, 'QUEUED', 'OPERATOR']);
  expect(first.body).toMatchObject({ ...announced });
  const chunks = await api.owner
    .selectFrom('clearing_chunks')
    .select('bytes')
    .where('file_id', '=', announced.fileId)
    .orderBy('chunk_no')
    .execute();
  expect(Buffer.concat(chunks.map((one) => one.bytes)).equals(bytes)).toBe(true);
  const again = await send(bytes);
  expect([again.status, again.body.fileId]).toEqual([200, announced.fileId]);
  expect(await startsOf(announced.fileId)).toHaveLength(1);
  const read = await adminCall(api, 'GET', first.headers['location'] ?? '', manager);
  expect(read.body).toEqual(first.body);
  const changed = aClearingFile([], { fileId: announced.fileId, spoil: ([h = '', t = '']) => [h, `${t} `] });
  expect(told(await send(changed.bytes))).toEqual([422, 'FILE_CHANGED']);
});

it('400 names the file that is none', async () => {
  for (const text of [
    '',
    'hello',
    '{}\n{}\n',
    '{"fileId":"x","businessDate":"2026-03-02"}\n{"records":-1}\n',
  ]) {
    const answer = await send(Buffer.from(text));
    expect(told(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors[0].field).toBe('file');
  }
});

it('asks whose file it is where several processors have certificates', async () => {
  await api.addClient({ label: 'second-processor', scopes: ['processor'], partnerId: null });
  const { bytes } = aClearingFile([]);
  const answer = await send(bytes);
  expect(told(answer)).toEqual([400, 'VALIDATION_ERROR']);
  expect(answer.body.errors[0].field).toBe('processor');
  expect((await send(bytes, 'second-processor')).status).toBe(201);
});

it('is for operators of the platform', async () => {
  const partner = await anOperator(api, { role: 'Admin', partner: 'demo' });
  expect(told(await send(aClearingFile([]).bytes, undefined, partner))).toEqual([404, 'NOT_FOUND']);
});
