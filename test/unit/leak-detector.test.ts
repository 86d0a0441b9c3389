import { describe, expect, it } from 'vitest';
import { createDetector } from '../../cli/operate/leaks/detector.ts';

// A number of the test BIN that no card has: made here with its check digit.
const pan = withCheckDigit('555544990000001');
const grouped = pan.replace(/(.{4})(?=.)/g, '$1 ');

describe('the leak detector', () => {
  const detect = createDetector([]);

  it('sees a card number of the test BIN anywhere in a text', () => {
    expect(detect(`paid with ${pan}, thanks`)).toEqual(['CARD_NUMBER']);
    expect(detect(`{"cardNo":"${pan}"}`)).toEqual(['CARD_NUMBER']);
  });

  it('lets masked numbers, wrong check digits and longer digit runs pass', () => {
    expect(detect(`${pan.slice(0, 6)}******${pan.slice(-4)}`)).toEqual([]);
    expect(detect(`${pan.slice(0, -1)}${(Number(pan.at(-1)) + 1) % 10}`)).toEqual([]);
    expect(detect(`7${pan}12345`)).toEqual([]);
  });

  it('sees a known number in groups and inside longer runs', () => {
    const knowing = createDetector([pan]);
    expect(knowing(`card ${grouped}`)).toEqual(['CARD_NUMBER']);
    expect(knowing(`7${pan}12345`)).toEqual(['CARD_NUMBER']);
    expect(detect(`card ${grouped}`)).toEqual([]);
  });

  it('sees a CVC2 by the name of its member, also in JSON inside JSON', () => {
    expect(detect('{"cvv":"123"}')).toEqual(['CVC2']);
    expect(detect('{"body":"{\\"cvc2\\": \\"123\\"}"}')).toEqual(['CVC2']);
    expect(detect('cvc2=123')).toEqual(['CVC2']);
  });

  it('lets verdicts and versions pass', () => {
    expect(detect('{"cvc2":"MATCH","cvcVersion":0,"cvc_tries_left":3}')).toEqual([]);
    expect(detect('{"amount":123}')).toEqual([]);
  });
});

function withCheckDigit(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const doubled = at % 2 === 0 ? Number(digit) * 2 : Number(digit);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return digits + String((10 - (sum % 10)) % 10);
}
