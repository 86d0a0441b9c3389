import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { SimulatorError } from '../errors.ts';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';

/** `getClearingFile` (spec 2): the bytes of a kept file, streamed. Error: 404 `FILE_NOT_FOUND`. */
export function mountFileCalls(app: App, simulation: Simulation): void {
  app.get('/v1/clearing-files/:fileId', async (c) => {
    const file = simulation.clearingFiles.find(c.req.param('fileId'));
    const size = file === null ? null : await sizeOf(file.path);
    if (file === null || size === null) {
      throw new SimulatorError(404, 'FILE_NOT_FOUND', 'There is no such clearing file.');
    }
    return new Response(Readable.toWeb(createReadStream(file.path)) as ReadableStream, {
      headers: { 'content-type': 'application/x-ndjson', 'content-length': String(size) },
    });
  });
}

/** Bytes of a file; null when it is gone. */
const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    ({ size }) => size,
    () => null,
  );
