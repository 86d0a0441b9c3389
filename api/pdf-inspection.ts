import { inflateSync } from 'node:zlib';

/** `active`: it does something when opened, carries other files, is another kind of file too, or hides its content. */
export type PdfVerdict = 'ok' | 'active' | 'unreadable';

/** Names of what acts, carries or hides; each may also be written with its letters as hexadecimal escapes. */
const ACTIVE_WORDS =
  /\/(JavaScript|JS|EmbeddedFiles?|Filespec|OpenAction|AA|Launch|GoToE|GoToR|SubmitForm|ImportData|RichMedia|XFA|Encrypt)(?![A-Za-z0-9])/;
/** What browsers and servers would read as a page or a program. */
const MARKUP = /<(script|html|svg|iframe|\?php|!doctype)/i;
const STREAM = /stream\r?\n([\s\S]*?)endstream/g;
const EMPTIED_STREAM = 'stream endstream';
const MOST_INFLATED_BYTES = 20_000_000;
const ZIP_END = Buffer.from('PK\x05\x06', 'latin1');
const ZIP_END_BYTES = 22;
const LONGEST_ZIP_COMMENT = 65_535;

/**
 * Looks for actions and attachments in the objects of a PDF (onboarding 5): those in clear, and those packed into
 * object streams. What cannot be looked into (an encrypted file, object streams packed in an unusual way) counts as
 * active, and so does a file that another program would read as an archive or a page.
 */
export function inspectPdf(content: Buffer): PdfVerdict {
  const text = content.toString('latin1');
  const objects = text.replace(STREAM, EMPTIED_STREAM);
  const end = text.lastIndexOf('%%EOF');
  if (end < 0) return 'unreadable';
  const hasMore = text.slice(end + '%%EOF'.length).trim() !== '';
  if (hasMore || endsAsZip(content) || hidesObjects(objects)) return 'active';
  const packed = [...text.matchAll(STREAM)].flatMap((match) => inflated(match[1] ?? ''));
  const readable = [objects, ...packed].map(withoutEscapes);
  return readable.some((part) => ACTIVE_WORDS.test(part) || MARKUP.test(part)) ? 'active' : 'ok';
}

/** Archives are read from their end, so one may follow any other file, or be wrapped in its comment. */
function endsAsZip(content: Buffer): boolean {
  const from = Math.max(0, content.length - ZIP_END_BYTES - LONGEST_ZIP_COMMENT);
  for (let at = content.indexOf(ZIP_END, from); at >= 0; at = content.indexOf(ZIP_END, at + 1)) {
    if (at + ZIP_END_BYTES > content.length) return false;
    if (at + ZIP_END_BYTES + content.readUInt16LE(at + ZIP_END_BYTES - 2) <= content.length) return true;
  }
  return false;
}

/** True when object streams are packed by anything but one pass of deflate: then they cannot be looked into here. */
function hidesObjects(objects: string): boolean {
  // Each part ends with the dictionary of a stream, but for the last.
  const parts = objects.split(EMPTIED_STREAM).slice(0, -1);
  return parts.some((part) => {
    const dictionary = withoutEscapes(part.slice(part.lastIndexOf(' obj')));
    if (!/\/ObjStm(?![A-Za-z0-9])/.test(dictionary)) return false;
    const filter = /\/Filter\s*(\[[^\]]*\]|\/\w+)/.exec(dictionary)?.[1];
    const deflatedOnce = filter === undefined || /^(\[\s*)?\/FlateDecode(\s*\])?$/.test(filter);
    return !deflatedOnce || /\/Predictor\s+(?!1\b)/.test(dictionary);
  });
}

function inflated(stream: string): string[] {
  try {
    const bytes = inflateSync(Buffer.from(stream, 'latin1'), { maxOutputLength: MOST_INFLATED_BYTES });
    const text = bytes.toString('latin1');
    // An object stream begins with pairs of object number and offset; a page's drawing does not.
    return /^\s*\d+\s+\d+\s/.test(text) ? [text] : [];
  } catch {
    return [];
  }
}

const withoutEscapes = (text: string): string =>
  text.replace(/#([0-9a-fA-F]{2})/g, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
