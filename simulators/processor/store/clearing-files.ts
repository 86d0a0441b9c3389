import type { DatabaseSync } from 'node:sqlite';

/** A clearing file as it was announced; `path` is where its bytes lie, `size` and `sha256` what was told. */
export interface ClearingFile {
  readonly fileId: string;
  readonly businessDate: string;
  readonly records: number;
  readonly size: number;
  readonly sha256: string;
  readonly path: string;
  readonly madeAt: string;
}

export interface ClearingFiles {
  /** Keeps a file; one made anew under a known id takes the place of the first. */
  keep(file: ClearingFile): void;
  find(fileId: string): ClearingFile | null;
  newestFirst(limit: number): readonly ClearingFile[];
}

/** Clearing files known in `database`. */
export function openClearingFiles(database: DatabaseSync): ClearingFiles {
  const upsert = database.prepare(
    `INSERT INTO clearing_files (file_id, business_date, records, size, sha256, path, made_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (file_id) DO UPDATE SET business_date = excluded.business_date, records = excluded.records,
       size = excluded.size, sha256 = excluded.sha256, path = excluded.path, made_at = excluded.made_at`,
  );
  const select = database.prepare('SELECT * FROM clearing_files WHERE file_id = ?');
  const newest = database.prepare('SELECT * FROM clearing_files ORDER BY made_at DESC, file_id DESC LIMIT ?');
  return {
    keep: (file) =>
      void upsert.run(
        file.fileId,
        file.businessDate,
        file.records,
        file.size,
        file.sha256,
        file.path,
        file.madeAt,
      ),
    find: (fileId) => {
      const row = select.get(fileId);
      return row === undefined ? null : toFile(row);
    },
    newestFirst: (limit) => newest.all(limit).map(toFile),
  };
}

const toFile = (row: Record<string, unknown>): ClearingFile => ({
  fileId: String(row['file_id']),
  businessDate: String(row['business_date']),
  records: Number(row['records']),
  size: Number(row['size']),
  sha256: String(row['sha256']),
  path: String(row['path']),
  madeAt: String(row['made_at']),
});
