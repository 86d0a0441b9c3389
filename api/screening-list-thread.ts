import { parentPort, workerData } from 'node:worker_threads';
import { parse } from 'csv-parse/sync';
import { type ReadList, readScreeningList } from '../domain/screening-list.ts';

// A thread of its own: a file of 100 MB takes seconds, and the process that reads it answers authorizations.

parentPort?.postMessage(read(workerData as string));

function read(text: string): ReadList {
  try {
    return readScreeningList(parse(text, { bom: true, relax_column_count: true, skip_empty_lines: true }));
  } catch {
    return { entries: [], faults: [{ line: 1, fault: 'this is not a CSV file' }] };
  }
}
