import { MAX_LINE_BYTES } from '../../domain/clearing-file.ts';

const LINE_FEED = 10;

/**
 * Lines of a stream of bytes, without their line feeds; a last line may lack its own. Null stands for a line
 * that is too long or no UTF-8, and ends the lines. Holds one line and one chunk in memory.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string | null> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest: Buffer = Buffer.alloc(0);
  const decode = (line: Buffer): string | null => {
    if (line.length > MAX_LINE_BYTES) return null;
    try {
      return decoder.decode(line);
    } catch {
      return null;
    }
  };
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED, from); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
      const line = decode(bytes.subarray(from, end));
      yield line;
      if (line === null) return;
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > MAX_LINE_BYTES) {
      yield null;
      return;
    }
  }
  if (rest.length > 0) yield decode(rest);
}
