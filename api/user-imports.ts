import { parse } from 'csv-parse/sync';
import type { Trx } from '../db/atomically.ts';
import { newSubjectId } from '../db/customers.ts';
import type { Programme } from '../db/partners.ts';
import { countRows, createImport, type ImportedRow, listRows, type UserImport } from '../db/user-imports.ts';
import { Refusal } from '../domain/errors.ts';
import {
  csvCell,
  headerFault,
  IMPORT_FILE_BYTES,
  IMPORT_MODES,
  type ImportMode,
  MOST_ROWS,
  separatorOf,
} from '../domain/user-import.ts';
import { putDocument, removeDocument } from '../vault/document-store.ts';
import { newSubjectKey } from '../vault/personal-data.ts';
import type { Answer, Call, UploadedFile } from './route.ts';
import { file, word, z } from './schemas/shared.ts';
import type { Services } from './services.ts';
import { csvTextOf } from './csv-files.ts';

/** What the calls about imports do on every channel that has them (onboarding 3). */

/** Refusals of `refuseFile`, for the routes that call it. */
export const FILE_REFUSALS = [
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'IMPORT_HEADER_INVALID',
  'IMPORT_TOO_LONG',
] as const;

/** Refuses what is no CSV file of users, before it is stored. Throws `FILE_REFUSALS`. */
export function refuseFile({ mediaType, bytes }: UploadedFile, mode: ImportMode): void {
  if (bytes.length > IMPORT_FILE_BYTES) {
    throw new Refusal('PAYLOAD_TOO_LARGE', 'The file may have 20 MB.');
  }
  const content = csvTextOf({ mediaType, bytes });
  const fault = headerFault(headerOf(content), mode);
  if (fault !== null) throw new Refusal('IMPORT_HEADER_INVALID', fault);
  if (linesOf(bytes) - 1 > MOST_ROWS) {
    throw new Refusal('IMPORT_TOO_LONG', 'The file may have 100,000 rows below its header.');
  }
}

function headerOf(content: string): string[] {
  const line = content.split(/\r?\n/, 1)[0] ?? '';
  try {
    return parse(line, { delimiter: separatorOf(line), trim: true })[0] ?? [];
  } catch {
    return [];
  }
}

/** Lines with something in them; a line break within a cell is in no value that is taken. */
function linesOf(bytes: Buffer): number {
  let lines = 0;
  let filled = false;
  for (const byte of bytes) {
    if (byte === 0x0a) filled = false;
    else if (!filled && byte !== 0x0d && byte !== 0x20) {
      filled = true;
      lines += 1;
    }
  }
  return lines;
}

export const IMPORT_STATE = z.enum(['RECEIVED', 'VALIDATING', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED']);

/** An import as the calls that begin and cancel it tell it. */
export const receivedSchema = z.strictObject({ importId: z.string(), state: IMPORT_STATE });

/** Parts of the form that an import comes in. */
export const importParts = {
  file: file(),
  mode: word(IMPORT_MODES).optional(),
  dryRun: word(['true', 'false']).optional(),
};

/** What the routes that take an import in have alike. */
export const importIntake = {
  method: 'POST',
  path: '/imports/users',
  summary: 'Import users from a CSV file',
  jwe: 'open',
  idempotency: 'accepted',
  contentType: 'multipart/form-data',
  maxBodyBytes: IMPORT_FILE_BYTES + 64_000,
  answers: { 202: { description: 'received', schema: receivedSchema } },
} as const;

type Intake = Pick<Call<unknown, unknown, unknown, unknown>, 'once' | 'services'> & {
  readonly body: z.output<z.ZodObject<typeof importParts>>;
};

/** Takes an import into a programme; `home` is where the channel's paths begin. Throws `FILE_REFUSALS`. */
export async function takeImport(
  { body, once, services }: Intake,
  programme: Programme,
  home: string,
): Promise<Answer> {
  const { file: sent, mode = 'CREATE', dryRun = 'false' } = body;
  refuseFile(sent, mode);
  return await once(async (trx) => {
    const wanted = { file: sent, mode, dryRun: dryRun === 'true' };
    const { import_id: importId, state } = await receiveImport(trx, services, programme, wanted);
    return { status: 202, body: { importId, state }, location: `${home}/imports/users/${importId}` };
  });
}

/** Stores a file that `refuseFile` has let through, sealed, with its import. */
export async function receiveImport(
  trx: Trx,
  { vault, documents }: Services,
  programme: Programme,
  sent: { readonly file: UploadedFile; readonly mode: ImportMode; readonly dryRun: boolean },
): Promise<UserImport> {
  const { partnerId } = programme;
  const subjectKey = newSubjectKey(vault, { subjectId: newSubjectId(trx), partnerId });
  const file = await putDocument(vault, documents, { subjectKey, content: sent.file.bytes });
  try {
    return await createImport(trx, programme, { subjectKey, mode: sent.mode, dryRun: sent.dryRun, file });
  } catch (error) {
    await removeDocument(documents, file.key);
    throw error;
  }
}

/** The wire's import with its progress. */
export async function presentImport(trx: Trx, one: UserImport) {
  const { import_id: importId, state, mode, dry_run: dryRun, rows, created_at, finished_at } = one;
  return {
    importId,
    state,
    mode,
    dryRun,
    rows,
    ...(await countRows(trx, importId)),
    createdAt: created_at.toISOString(),
    finishedAt: finished_at?.toISOString() ?? null,
  };
}

/** The wire's row of an import. */
export const presentRow = ({ row, status, customerId, title, field }: ImportedRow) => ({
  row,
  status,
  userId: customerId,
  title,
  field,
});

/** Every row of an import that has ended, as CSV. Throws `STATE_CONFLICT` while it goes on. */
export async function reportOf(trx: Trx, one: UserImport): Promise<string> {
  if (one.finished_at === null) throw new Refusal('STATE_CONFLICT', 'The import has not ended.');
  const rows = await listRows(trx, one.import_id, {});
  const lines = rows.map(({ row, status, customerId, title, field }) =>
    [row, status, customerId, title, field].map(csvCell).join(','),
  );
  return ['row,status,userId,title,field', ...lines, ''].join('\r\n');
}
