import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open as openFile, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { open, type Place, seal } from './envelope.ts';
import { VaultFault } from './errors.ts';
import { openSubjectKey, type SubjectKey } from './personal-data.ts';
import type { Vault } from './vault.ts';

/** A folder of encrypted files with random names. */
export interface DocumentStore {
  readonly folder: string;
}

export interface PutDocument {
  readonly key: string;
  readonly bytes: number;
  /** Of the content in clear, hexadecimal. */
  readonly sha256: string;
}

const KEY = /^[0-9a-f]{32}$/;

/** The store that `DOCUMENT_STORE` names (`file:<folder>`); the folder is made when it is first written to. */
export function openDocumentStore(location: string): DocumentStore {
  if (!location.startsWith('file:')) throw new VaultFault('DOCUMENT_STORE must be file:<folder>');
  return { folder: resolve(location.slice('file:'.length)) };
}

/**
 * Encrypts a document under its subject's key and writes it so that after a crash it is there in full or not
 * at all. Nothing in clear touches the disk. Remove it again when the transaction that names it fails.
 */
export async function putDocument(
  vault: Vault,
  store: DocumentStore,
  document: { readonly subjectKey: SubjectKey; readonly content: Uint8Array },
): Promise<PutDocument> {
  const { subjectKey, content } = document;
  const key = randomBytes(16).toString('hex');
  const sealed = seal(openSubjectKey(vault, subjectKey), placeOf(subjectKey, key), content);
  await writeDurably(pathOf(store, key), sealed);
  return { key, bytes: content.byteLength, sha256: createHash('sha256').update(content).digest('hex') };
}

/** The document in clear. Throws a `VaultFault` when it is missing, changed, or another subject's. */
export async function readDocument(
  vault: Vault,
  store: DocumentStore,
  document: { readonly subjectKey: SubjectKey; readonly key: string },
): Promise<Buffer> {
  const { subjectKey, key } = document;
  const sealed = await readFile(pathOf(store, key)).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new VaultFault('a document is missing from the store') : error;
  });
  return open(openSubjectKey(vault, subjectKey), placeOf(subjectKey, key), sealed);
}

/** Deletes a document; one that is not there is fine. */
export async function removeDocument(store: DocumentStore, key: string): Promise<void> {
  await rm(pathOf(store, key), { force: true });
}

const placeOf = ({ partnerId }: SubjectKey, key: string): Place => ({
  partnerId,
  table: 'documents',
  rowId: key,
  field: 'content',
});

function pathOf({ folder }: DocumentStore, key: string): string {
  if (!KEY.test(key)) throw new VaultFault('a document key is not one of the store');
  return join(folder, key.slice(0, 2), key);
}

async function writeDurably(path: string, content: Buffer): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.part`;
  try {
    await withFile(await openFile(draft, 'wx', 0o600), async (file) => {
      await file.writeFile(content);
      await file.sync();
    });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  // The name is durable only when the folders that hold it are.
  for (const parent of [folder, dirname(folder)]) {
    await withFile(await openFile(parent, 'r'), (handle) => handle.sync());
  }
}

async function withFile(file: FileHandle, use: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
