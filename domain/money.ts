/** Amounts are whole minor units of one currency; every result is asserted to be a safe integer. */
export interface Money {
  readonly minorUnits: number;
  readonly currency: string;
}

/** ISO 4217 codes whose exponent is not 2. */
const EXPONENTS: Readonly<Record<string, number>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0,
  VUV: 0, XAF: 0, XOF: 0, XPF: 0, BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
}; // prettier-ignore

/** Number of decimals of a currency (ISO 4217). */
export const currencyExponent = (currency: string): number => EXPONENTS[currency] ?? 2;

/** Asserts that a number can stand for minor units; anything else is a defect of the caller. */
export function minorUnits(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError('an amount must be a safe integer of minor units');
  return value;
}

/** Sum of minor units of one currency. */
export const add = (left: number, right: number): number => minorUnits(minorUnits(left) + minorUnits(right));

/** Difference of minor units of one currency. */
export const subtract = (left: number, right: number): number =>
  minorUnits(minorUnits(left) - minorUnits(right));

/** True while the sum of minor units is a safe integer: the most that a balance can hold. */
export const sumFits = (left: number, right: number): boolean => Number.isSafeInteger(left + right);

/** Major units as text for people, for example `12.34 EUR`. */
export function formatMoney({ minorUnits: value, currency }: Money): string {
  const exponent = currencyExponent(currency);
  const digits = Math.abs(minorUnits(value))
    .toString()
    .padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  const fraction = exponent === 0 ? '' : `.${digits.slice(digits.length - exponent)}`;
  return `${value < 0 ? '-' : ''}${whole}${fraction} ${currency}`;
}

/** Minor units of an amount as people write it, for example `12.34`; null for anything else. */
export function readMoney(text: string, currency: string): number | null {
  const [, whole = '', fraction = ''] = /^([0-9]+)(?:\.([0-9]+))?$/.exec(text) ?? [];
  const exponent = currencyExponent(currency);
  if (whole === '' || fraction.length > exponent) return null;
  const value = Number(whole + fraction.padEnd(exponent, '0'));
  return Number.isSafeInteger(value) ? value : null;
}
