import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Namespace under which histories are recorded: their payloads are bound to it. */
export const RECORDED_NAMESPACE = 'cardloom';

const folder = fileURLToPath(new URL('./histories/', import.meta.url));

/** A recorded history as it is committed. */
export interface RecordedHistory {
  /** `<workflow>.<path>` */
  readonly name: string;
  readonly workflow: string;
  readonly history: unknown;
}

/** Where the history of a path is kept. */
export const historyFile = (workflow: string, path: string): string => `${folder}${workflow}.${path}.json`;

/** All committed histories. */
export const recordedHistories = (): RecordedHistory[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => ({
      name: file.replace(/\.json$/, ''),
      workflow: file.slice(0, file.indexOf('.')),
      history: JSON.parse(readFileSync(`${folder}${file}`, 'utf8')) as unknown,
    }));
