import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiHarness, startApi } from '../support/harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const announcement = {
  fileId: 'C20260302-01',
  businessDate: '2026-03-02',
  records: 2,
  size: 1_000,
  sha256: 'AB'.repeat(32),
};
const announce = (body: object) => api.call('POST', '/processor/clearing-files', { as: 'processor', body });
const rows = async () => ({
  files: await api.owner.selectFrom('clearing_files').select(['file_id', 'sha256', 'processor']).execute(),
  starts: await api.owner
    .selectFrom('outbox')
    .select('subject_id')
    .where('kind', '=', 'clearing-file')
    .execute(),
});

describe('POST /processor/clearing-files', () => {
  it('202: the file is queued and its workflow asked for; the same again gets the same answer', async () => {
    const first = await announce(announcement);
    expect([first.status, first.body]).toEqual([202, { fileId: 'C20260302-01', status: 'QUEUED' }]);
    const again = await announce({ ...announcement, sha256: 'ab'.repeat(32) });
    expect([again.status, again.text]).toEqual([202, first.text]);
    expect(await rows()).toEqual({
      files: [{ file_id: 'C20260302-01', sha256: 'ab'.repeat(32), processor: 'processor' }],
      starts: [{ subject_id: 'clearing-file:C20260302-01' }],
    });
  });

  it('422 FILE_CHANGED: the same file id with other bytes changes nothing', async () => {
    await announce(announcement);
    const before = await rows();
    const answer = await announce({ ...announcement, sha256: 'cd'.repeat(32) });
    expect([answer.status, answer.body.title]).toEqual([422, 'FILE_CHANGED']);
    expect(await rows()).toEqual(before);
  });

  it.each([
    ['fileId', { fileId: '' }],
    ['fileId', { fileId: 'x'.repeat(65) }],
    ['businessDate', { businessDate: '2026-02-30' }],
    ['records', { records: -1 }],
    ['records', { records: 1.5 }],
    ['size', { size: 0 }],
    ['size', { size: 256 * 1024 * 1024 + 1 }],
    ['sha256', { sha256: 'xy'.repeat(32) }],
    ['sha256', { sha256: 'ab' }],
  ])('400 VALIDATION_ERROR: %s %j', async (field, change) => {
    const before = await rows();
    const answer = await announce({ ...announcement, fileId: 'new', ...change });
    expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors).toMatchObject([{ field }]);
    expect(await rows()).toEqual(before);
  });

  it('400 VALIDATION_ERROR: a member that is not known', async () => {
    expect((await announce({ ...announcement, url: 'https://elsewhere' })).status).toBe(400);
  });
});
