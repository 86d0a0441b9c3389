/** Mass import of users from a file (onboarding 3): its columns, its header and what becomes of a row. */
export const IMPORT_MODES = ['CREATE', 'UPSERT'] as const;
export type ImportMode = (typeof IMPORT_MODES)[number];

export const ROW_STATUSES = ['CREATED', 'UPDATED', 'SKIPPED', 'FAILED'] as const;
export type RowStatus = (typeof ROW_STATUSES)[number];

export const MOST_ROWS = 100_000;
export const IMPORT_FILE_BYTES = 20_000_000;
/** Rows of one step of the workflow. */
export const CHUNK_ROWS = 200;

const NEEDED = ['firstName', 'lastName', 'phone', 'email', 'birthDate'] as const;
const OPTIONAL = [
  'state',
  'kyc',
  'externalId',
  'nationality',
  'language',
  'riskLvl',
  'documentExpirationDate',
] as const;
const ADDRESS = ['street', 'number', 'apartment', 'city', 'postCode', 'country'] as const;

/** Every column that a file may have, in any order. */
export const IMPORT_COLUMNS = [...NEEDED, ...OPTIONAL, ...ADDRESS] as const;
export type ImportColumn = (typeof IMPORT_COLUMNS)[number];

/** Cells of one line by column; an empty cell is absent. */
export type ImportRow = Readonly<Partial<Record<ImportColumn, string>>>;

/** A line as it was read; null when it has more or fewer cells than the header. */
export type ImportLine = ImportRow | null;

/** What became of a row; `title` and `field` say why it failed. */
export interface RowResult {
  readonly status: RowStatus;
  readonly customerId: number | null;
  readonly title: string | null;
  readonly field: string | null;
}

/** The separator of a header line: the one of `,` and `;` that it has more of. */
export const separatorOf = (header: string): ',' | ';' =>
  header.split(';').length > header.split(',').length ? ';' : ',';

/** Why a header is not one of an import, as a sentence; null when it is. */
export function headerFault(columns: readonly string[], mode: ImportMode): string | null {
  const known: readonly string[] = IMPORT_COLUMNS;
  if (columns.some((one) => !known.includes(one))) return 'The header has a column that is not known.';
  if (new Set(columns).size !== columns.length) return 'The header has a column twice.';
  const needed = mode === 'UPSERT' ? [...NEEDED, 'externalId'] : NEEDED;
  const missing = needed.filter((one) => !columns.includes(one));
  if (missing.length > 0) return `The header lacks ${missing.join(', ')}.`;
  const address = ADDRESS.filter((one) => one !== 'apartment' && columns.includes(one));
  return address.length === 0 || address.length === ADDRESS.length - 1
    ? null
    : 'The header has some columns of the address, but not all.';
}

/** True when a row says where the person lives; its cells are then all needed. */
export const hasAddress = (row: ImportRow): boolean => ADDRESS.some((column) => row[column] !== undefined);

/** Fields that a refusal of a new user is about. */
export const FIELD_OF: Readonly<Record<string, ImportColumn>> = {
  PHONE_ALREADY_REGISTERED: 'phone',
  EMAIL_ALREADY_REGISTERED: 'email',
  EXTERNAL_ID_ALREADY_USED: 'externalId',
  UNDERAGE: 'birthDate',
  EXTERNAL_KYC_NOT_ALLOWED: 'kyc',
  VERIFICATION_IN_PROGRESS: 'kyc',
  STATE_CONFLICT: 'state',
};

/** A cell that no spreadsheet takes for a formula (onboarding 3). */
export function csvCell(value: string | number | null): string {
  const shown = value === null ? '' : String(value);
  const harmless = /^[=+\-@\t\r]/.test(shown) ? `'${shown}` : shown;
  return /[",\r\n]/.test(harmless) || harmless !== shown ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
