/** What the inbox shows of a mail: subject and readable text. */
export interface ReadMail {
  readonly subject: string | null;
  readonly text: string;
}

interface Part {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

const DEEPEST_NESTING = 10;

/** Reads a raw mail (RFC 5322, MIME): the subject decoded, and the first plain text part, else the first text. */
export function readMail(raw: Buffer): ReadMail {
  const mail = splitPart(raw);
  const texts = textParts(mail, 0);
  const best = texts.find((part) => contentType(part).value === 'text/plain') ?? texts[0];
  const subject = mail.headers.get('subject');
  return {
    subject: subject === undefined ? null : decodeWords(subject),
    text: best === undefined ? '' : decodeBody(best).replaceAll('\r\n', '\n').trim(),
  };
}

/** Headers (lower-case names, unfolded) and body of a mail or of one part of it. */
function splitPart(raw: Buffer): Part {
  const text = raw.toString('latin1');
  const gap = /\r?\n\r?\n/.exec(text);
  const bodyStart = gap === null ? text.length : gap.index + gap[0].length;
  const unfolded = text.slice(0, gap?.index ?? text.length).replace(/\r?\n[ \t]+/g, ' ');
  const headers = new Map<string, string>();
  for (const line of unfolded.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    // Raw bytes above 127 are UTF-8 in mails with SMTPUTF8.
    if (colon > 0 && !headers.has(name)) {
      headers.set(name, Buffer.from(line.slice(colon + 1).trim(), 'latin1').toString('utf8'));
    }
  }
  return { headers, body: raw.subarray(bodyStart) };
}

/** The text parts of a mail, in order; attachments are left out. */
function textParts(part: Part, depth: number): Part[] {
  const { value, boundary } = contentType(part);
  if (value.startsWith('multipart/') && boundary !== null && depth < DEEPEST_NESTING) {
    return splitMultipart(part.body, boundary).flatMap((inner) => textParts(inner, depth + 1));
  }
  const attached = part.headers.get('content-disposition')?.toLowerCase().startsWith('attachment') ?? false;
  return value.startsWith('text/') && !attached ? [part] : [];
}

function splitMultipart(body: Buffer, boundary: string): Part[] {
  const pieces = `\n${body.toString('latin1')}`.split(`\n--${boundary}`).slice(1);
  const open = pieces.filter((piece) => !piece.startsWith('--'));
  return open.map((piece) => splitPart(Buffer.from(piece.replace(/^[ \t]*\r?\n/, ''), 'latin1')));
}

function contentType(part: Part) {
  const header = part.headers.get('content-type') ?? 'text/plain';
  const parameter = (name: string): string | null => {
    const match = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^;\\s]*))`, 'i').exec(header);
    return match === null ? null : (match[1] ?? match[2] ?? null);
  };
  return {
    value: (header.split(';')[0] ?? '').trim().toLowerCase(),
    boundary: parameter('boundary'),
    charset: parameter('charset') ?? 'utf-8',
  };
}

function decodeBody(part: Part): string {
  const encoding = part.headers.get('content-transfer-encoding')?.trim().toLowerCase();
  const text = part.body.toString('latin1');
  if (encoding === 'base64') return decodeBytes(Buffer.from(text, 'base64'), contentType(part).charset);
  if (encoding === 'quoted-printable') {
    const joined = text.replace(/[ \t]+(?=\r?\n)/g, '').replace(/=\r?\n/g, '');
    return decodeBytes(unescapeHex(joined), contentType(part).charset);
  }
  return decodeBytes(part.body, contentType(part).charset);
}

/** Encoded words of RFC 2047 (`=?utf-8?Q?...?=`) to text. */
function decodeWords(value: string): string {
  const joined = value.replace(/(=\?[^?]+\?[bqBQ]\?[^?]*\?=)\s+(?==\?)/g, '$1');
  return joined.replace(
    /=\?([^?]+)\?([bqBQ])\?([^?]*)\?=/g,
    (_, charset: string, kind: string, content: string) =>
      decodeBytes(
        kind.toLowerCase() === 'b'
          ? Buffer.from(content, 'base64')
          : unescapeHex(content.replaceAll('_', ' ')),
        charset,
      ),
  );
}

function unescapeHex(text: string): Buffer {
  const bytes = text.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}

function decodeBytes(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString('utf8');
  }
}
