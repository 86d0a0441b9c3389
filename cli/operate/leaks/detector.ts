import { isPan } from '../../../vault/pan.ts';

export type LeakKind = 'CARD_NUMBER' | 'CVC2';

/** Where card data was seen, never what. */
export interface Leak {
  readonly kind: LeakKind;
  readonly where: 'log' | 'table' | 'history';
  readonly place: string;
}

/** Says which card data a text shows. */
export type Detector = (text: string) => LeakKind[];

/** First digits of every card that test products make. */
export const TEST_BIN = '555544';

const DIGIT_RUN = /(?<![0-9])[0-9]{13,19}(?![0-9])/g;
const SEPARATED = /(?<=[0-9])[ -](?=[0-9])/g;
const CVC2_MEMBER =
  /\b(?:cvv2?|cvc2?|card_?verification(?:_?value)?)\\*["']?\s*[:=]\s*\\*["']?[0-9]{3}(?![0-9])/i;

/**
 * Looks for card numbers of the test BIN with a right check digit, for the known numbers in any grouping, and
 * for a CVC2 as a named member. Text of other kinds (hexadecimal, base64) has to be decoded before.
 */
export function createDetector(knownPans: readonly string[]): Detector {
  const known = [...new Set(knownPans)];
  return (text) => {
    const kinds: LeakKind[] = [];
    if (showsTestPan(text) || showsKnownPan(text, known)) kinds.push('CARD_NUMBER');
    if (CVC2_MEMBER.test(text)) kinds.push('CVC2');
    return kinds;
  };
}

const showsTestPan = (text: string): boolean =>
  text.includes(TEST_BIN) &&
  (text.match(DIGIT_RUN) ?? []).some((run) => run.startsWith(TEST_BIN) && isPan(Buffer.from(run)));

function showsKnownPan(text: string, known: readonly string[]): boolean {
  if (known.length === 0) return false;
  const joined = text.replaceAll(SEPARATED, '');
  return known.some((pan) => joined.includes(pan));
}
