/** Units of one currency for one of another, by `FROM/TO`, as decimal text: what the network's table says. */
export type Rates = Readonly<Record<string, string>>;

export const DEFAULT_RATES: Rates = {
  'CHF/EUR': '1.06',
  'GBP/EUR': '1.17',
  'JPY/EUR': '0.0061',
  'PLN/EUR': '0.23',
  'THB/EUR': '0.02938158',
  'USD/EUR': '0.92',
};

/** Decimal places of a currency's minor unit (ISO 4217). */
function minorDigits(currency: string): number {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}

/** Converts minor units of `from` to minor units of `to` by a decimal `rate`, rounded half up, at least 1. */
export function convert(minorUnits: number, from: string, to: string, rate: string): number {
  const [whole = '0', decimals = ''] = rate.split('.');
  const shift = minorDigits(to) - minorDigits(from) - decimals.length;
  const product = BigInt(minorUnits) * BigInt(whole + decimals);
  if (shift >= 0) return Number(product * 10n ** BigInt(shift));
  const divisor = 10n ** BigInt(-shift);
  const rounded = (product + divisor / 2n) / divisor;
  return Number(rounded === 0n ? 1n : rounded);
}
