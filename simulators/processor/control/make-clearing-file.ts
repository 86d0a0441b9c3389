import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SimulatorError } from '../errors.ts';
import type { Simulation } from '../simulation.ts';
import type { ClearingFile } from '../store/clearing-files.ts';
import { atomically } from '../store/database.ts';
import type { Trace } from '../store/traces.ts';
import { openMinorUnits } from '../store/traces.ts';
import type { FileDefect } from '../wire/clearing-file.ts';
import { writeClearingFile } from '../wire/clearing-file.ts';
import type { ForcePosts } from '../wire/force-posts.ts';
import { forcePostRecords } from '../wire/force-posts.ts';
import type { NetworkMessage, Outbound } from '../wire/message.ts';
import { present, wholePresentment } from './clear.ts';
import { outboundOf } from './exchange.ts';

/** What goes into a file. `traces` null: every open approval of the business date. */
export interface FileContent {
  readonly businessDate: string;
  readonly traces: readonly Trace[] | null;
  readonly forcePosts: ForcePosts | null;
  readonly defect: FileDefect | null;
  /** Id of the file; null draws the next of the business date. */
  readonly fileId: string | null;
}

/**
 * Writes and keeps a clearing file: records that waited for it, then presentments, then force posts. Error: 409
 * when there is nothing to present.
 */
export function makeClearingFile(simulation: Simulation, content: FileContent): ClearingFile {
  return atomically(simulation.database, () => writeAndKeep(simulation, content));
}

function writeAndKeep(simulation: Simulation, content: FileContent): ClearingFile {
  const { businessDate, defect } = content;
  const fileId = content.fileId ?? nextFileId(simulation, businessDate);
  mkdirSync(simulation.fileFolder, { recursive: true, mode: 0o700 });
  const path = join(simulation.fileFolder, `${fileId}.ndjson`);
  const written = writeClearingFile(path, { fileId, businessDate }, recordsOf(simulation, content), defect);
  if (written.records === 0) {
    rmSync(path);
    throw new SimulatorError(409, 'STATE_CONFLICT', 'There is nothing to present.');
  }
  const file = { fileId, businessDate, ...written, path, madeAt: simulation.now().toISOString() };
  simulation.clearingFiles.keep(file);
  return file;
}

/** The announcement of a file (spec 4.2). */
export function announcementOf(simulation: Simulation, file: ClearingFile, traceId: string): Outbound {
  const { fileId, businessDate, records, size, sha256 } = file;
  const body = { fileId, businessDate, records, size, sha256 };
  return outboundOf(traceId, 'clearingFile', body, simulation.draws.next('message'));
}

/** Deletes the bytes of all files. */
export const removeClearingFiles = (simulation: Simulation): void =>
  rmSync(simulation.fileFolder, { recursive: true, force: true });

function* recordsOf(simulation: Simulation, content: FileContent): Generator<NetworkMessage> {
  yield* simulation.waitingRecords.take();
  const traces = content.forcePosts === null || content.traces !== null ? tracesOf(simulation, content) : [];
  for (const trace of traces) {
    yield present(simulation, trace, wholePresentment(trace), simulation.draws.next('message'));
  }
  if (content.forcePosts !== null) {
    yield* forcePostRecords(content.forcePosts, simulation.draws.next('file'), simulation.now());
  }
}

const tracesOf = (simulation: Simulation, { traces, businessDate }: FileContent): readonly Trace[] =>
  (traces ?? simulation.traces.open()).filter(
    (trace) =>
      openMinorUnits(trace) > 0 && (traces !== null || trace.original.date?.slice(0, 10) === businessDate),
  );

/** `C20260302-01` and so on; never one that was used before. */
function nextFileId(simulation: Simulation, businessDate: string): string {
  for (let number = 1; ; number += 1) {
    const fileId = `C${businessDate.replaceAll('-', '')}-${String(number).padStart(2, '0')}`;
    if (simulation.cards.reserveNumber(fileId)) return fileId;
  }
}
