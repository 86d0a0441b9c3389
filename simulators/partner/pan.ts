/** Finds card numbers where none may be. */

const candidates = /(?<![0-9A-Za-z])[0-9]{13,19}(?![0-9A-Za-z])|(?<![0-9])[0-9]{4}( [0-9]{4}){3}(?![0-9])/g;
/** Members that hold long numbers of other kinds, one in ten of which passes Luhn's check by chance. */
const otherNumbers = /(amount|transactionid)$/i;
const knownBrand = /^(4|5[1-5]|2[2-7])[0-9]{14,15}$/;

/** True when the value, or a value inside it, shows 13 to 19 digits that pass Luhn's check. */
export function showsPan(value: unknown, name = ''): boolean {
  if (typeof value === 'string' || typeof value === 'number') {
    return (String(value).match(candidates) ?? [])
      .map((text) => text.replaceAll(' ', ''))
      .some((digits) => isLuhnValid(digits) && (!otherNumbers.test(name) || knownBrand.test(digits)));
  }
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([member, inner]) =>
    showsPan(inner, Array.isArray(value) ? name : member),
  );
}

function isLuhnValid(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]);
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
