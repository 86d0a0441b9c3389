import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { createPayloadCodec, type PayloadCodecOptions } from './payload-codec.ts';

/** Also given to the bundler: the sandbox encodes failures with the same module. */
export const failureConverterPath = fileURLToPath(new URL('./failure-converter.ts', import.meta.url));

/** The one converter of clients, workers and replayer: everything but ids and types leaves encrypted. */
export const createDataConverter = (options: PayloadCodecOptions): DataConverter => ({
  payloadCodecs: [createPayloadCodec(options)],
  failureConverterPath,
});
