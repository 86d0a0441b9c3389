import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inspectPdf } from '../../api/pdf-inspection.ts';

const pdf = (object: string, tail = '') =>
  Buffer.from(`%PDF-1.7\n1 0 obj ${object} endobj\nstartxref\n0\n%%EOF\n${tail}`, 'latin1');
const packed = (content: string, entries = '/Filter /FlateDecode') => {
  const bytes = deflateSync(Buffer.from(content, 'latin1')).toString('latin1');
  return pdf(`<< /Type /ObjStm /N 1 /First 4 ${entries} >>\nstream\n${bytes}endstream`);
};
const zipEnd = `PK\x05\x06${'\0'.repeat(18)}`;

describe('a PDF', () => {
  it.each([
    ['a plain one', pdf('<< /Type /Catalog /Pages 2 0 R >>')],
    ['one with a link', pdf('<< /Type /Annot /A << /S /URI /URI (https://bank.test) >> >>')],
    ['one with packed objects', packed('1 0 << /Type /Pages >>')],
    ['one with a name that begins like an action', pdf('<< /JSomething 1 /AAx 2 >>')],
    ['one saved twice', pdf('<< /Type /Catalog >>', '2 0 obj << >> endobj\n%%EOF\n')],
  ])('is taken: %s', (_name, content) => {
    expect(inspectPdf(content)).toBe('ok');
  });

  it.each([
    ['a script', pdf('<< /S /JavaScript /JS (x) >>')],
    ['a script in escapes', pdf('<< /S /J#61vaScript >>')],
    ['a packed script', packed('1 0 << /S /JavaScript >>')],
    ['an attachment', pdf('<< /Type /Filespec /EF << /F 5 0 R >> >>')],
    ['an action at opening', pdf('<< /OpenAction 3 0 R >>')],
    ['an action of an event', pdf('<< /AA << /O 3 0 R >> >>')],
    ['a form that is sent', pdf('<< /S /SubmitForm >>')],
    ['a form of XML', pdf('<< /AcroForm << /XFA 4 0 R >> >>')],
    ['a film', pdf('<< /Subtype /RichMedia >>')],
    ['encryption', pdf('<< /Encrypt 9 0 R >>')],
    ['objects packed twice', packed('1 0 << >>', '/Filter [/ASCIIHexDecode /FlateDecode]')],
    [
      'objects packed with a predictor',
      packed('1 0 << >>', '/Filter /FlateDecode /DecodeParms << /Predictor 12 >>'),
    ],
    ['an archive behind it', pdf('<< >>', `PK\x03\x04data${zipEnd}`)],
    ['an archive in its comment', pdf(`<< >> endobj\n% ${zipEnd}\n2 0 obj << >>`)],
    ['a page of HTML in it', pdf('<< /T (<script>alert(1)</script>) >>')],
    ['a program in it', pdf('<< >> endobj % <?php system(1); ?>\n2 0 obj << >>')],
  ])('is refused with %s', (_name, content) => {
    expect(inspectPdf(content)).toBe('active');
  });

  it('without its end is unreadable', () => {
    expect(inspectPdf(Buffer.from('%PDF-1.7\n1 0 obj << >> endobj'))).toBe('unreadable');
  });
});
