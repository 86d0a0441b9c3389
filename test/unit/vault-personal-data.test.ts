import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSecret, sealSecret } from '../../vault/connection-secrets.ts';
import {
  type DocumentStore,
  openDocumentStore,
  putDocument,
  readDocument,
  removeDocument,
} from '../../vault/document-store.ts';
import { VaultFault } from '../../vault/errors.ts';
import { indexPersonal, newSubjectKey, openPersonal, sealPersonal } from '../../vault/personal-data.ts';
import { testVault } from '../support/vault.ts';

const vault = testVault();
const subject = { subjectId: '0190a0d0-0000-4000-8000-000000000001', partnerId: 1 };
const key = newSubjectKey(vault, subject);
const field = { table: 'customers', rowId: subject.subjectId, field: 'personal' };
const ada = { firstName: 'Ada', lastName: 'Nowak', phone: '48600100231' };

describe('personal data', () => {
  it('opens for its subject, column and row', () => {
    const sealed = sealPersonal(vault, key, field, ada);
    expect(sealed.includes('Nowak')).toBe(false);
    expect(openPersonal(vault, key, field, sealed)).toEqual(ada);
  });

  it('opens nowhere else', () => {
    const sealed = sealPersonal(vault, key, field, ada);
    const other = newSubjectKey(vault, { ...subject, subjectId: '0190a0d0-0000-4000-8000-000000000002' });
    expect(() => openPersonal(vault, other, field, sealed)).toThrow(VaultFault);
    expect(() => openPersonal(vault, { ...key, partnerId: 2 }, field, sealed)).toThrow(VaultFault);
    expect(() => openPersonal(vault, { ...key, subjectId: other.subjectId }, field, sealed)).toThrow(
      VaultFault,
    );
    expect(() => openPersonal(vault, key, { ...field, field: 'address' }, sealed)).toThrow(VaultFault);
    expect(() => openPersonal(vault, key, { ...field, rowId: 'x' }, sealed)).toThrow(VaultFault);
  });

  it('is indexed by kind and value', () => {
    const phone = indexPersonal(vault, 'phone', ada.phone);
    expect(indexPersonal(vault, 'phone', ada.phone)).toEqual(phone);
    expect(indexPersonal(vault, 'email', ada.phone)).not.toEqual(phone);
    expect(indexPersonal(vault, 'phone', '48600100232')).not.toEqual(phone);
  });
});

describe('a secret of the configuration', () => {
  it('opens at its own place only', () => {
    const place = { partnerId: 1, table: 'connections', rowId: 'c1', field: 'basic_ct' };
    const sealed = sealSecret(vault, place, 'user:password');
    expect(sealed.includes('password')).toBe(false);
    expect(openSecret(vault, place, sealed)).toBe('user:password');
    expect(() => openSecret(vault, { ...place, rowId: 'c2' }, sealed)).toThrow(VaultFault);
    expect(() => openSecret(vault, { ...place, partnerId: 2 }, sealed)).toThrow(VaultFault);
  });
});

describe('a document', () => {
  let store: DocumentStore;
  const content = Buffer.from('a picture of a passport '.repeat(50));
  beforeEach(() => {
    store = openDocumentStore(`file:${join(mkdtempSync(join(tmpdir(), 'vault-documents-')), 'documents')}`);
  });
  afterEach(() => rmSync(join(store.folder, '..'), { recursive: true }));

  const files = (): string[] =>
    readdirSync(store.folder, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name));

  it('is one encrypted file with a random name', async () => {
    const put = await putDocument(vault, store, { subjectKey: key, content });
    expect(put).toMatchObject({ bytes: content.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const [path = '', ...others] = files();
    expect(others).toEqual([]);
    expect(path.endsWith(put.key)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(store.folder).mode & 0o777).toBe(0o700);
    expect(readFileSync(path).includes('passport')).toBe(false);
    expect(await readDocument(vault, store, { subjectKey: key, key: put.key })).toEqual(content);
  });

  it('does not open for another subject, under another name, or changed', async () => {
    const put = await putDocument(vault, store, { subjectKey: key, content });
    const second = await putDocument(vault, store, { subjectKey: key, content });
    const other = newSubjectKey(vault, { ...subject, subjectId: '0190a0d0-0000-4000-8000-000000000002' });
    await expect(readDocument(vault, store, { subjectKey: other, key: put.key })).rejects.toThrow(VaultFault);
    const pathOf = (name: string): string => join(store.folder, name.slice(0, 2), name);
    writeFileSync(pathOf(second.key), readFileSync(pathOf(put.key)));
    await expect(readDocument(vault, store, { subjectKey: key, key: second.key })).rejects.toThrow(
      VaultFault,
    );
  });

  it('is gone after it was removed, and removing it again is fine', async () => {
    const put = await putDocument(vault, store, { subjectKey: key, content });
    await removeDocument(store, put.key);
    await removeDocument(store, put.key);
    expect(files()).toEqual([]);
    await expect(readDocument(vault, store, { subjectKey: key, key: put.key })).rejects.toThrow('missing');
  });

  it.each(['../../etc/passwd', '', 'A'.repeat(32), `${'a'.repeat(32)}/x`])(
    'is never looked for under a foreign name: %s',
    async (name) => {
      await expect(readDocument(vault, store, { subjectKey: key, key: name })).rejects.toThrow('not one of');
      await expect(removeDocument(store, name)).rejects.toThrow('not one of');
    },
  );
});
