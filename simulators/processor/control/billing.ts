import { invalid } from '../errors.ts';
import type { Simulation } from '../simulation.ts';
import type { Rates } from '../wire/rates.ts';
import { convert, DEFAULT_RATES } from '../wire/rates.ts';

/** An amount at a terminal in the card's currency; `original` is the terminal's, null when it is the same. */
export interface BilledAmount {
  readonly amount: number;
  readonly currency: string;
  readonly original: { readonly amount: number; readonly currency: string; readonly rate: string } | null;
}

/** Converts a terminal's amount to the card's currency by the configured rates. Error: 400 without a rate. */
export function bill(
  simulation: Simulation,
  terminal: { readonly amount: number; readonly currency: string },
  cardCurrency: string,
): BilledAmount {
  if (terminal.currency === cardCurrency) return { ...terminal, original: null };
  const rate = readRates(simulation)[`${terminal.currency}/${cardCurrency}`];
  if (rate === undefined) {
    throw invalid([
      { field: 'currency', message: `has no rate to ${cardCurrency}: PUT /simulator/config {"rates"}` },
    ]);
  }
  const amount = convert(terminal.amount, terminal.currency, cardCurrency, rate);
  return { amount, currency: cardCurrency, original: { ...terminal, rate } };
}

/** The configured rates, those of the defaults for pairs that nobody set. */
export function readRates(simulation: Simulation): Rates {
  const set = simulation.settings.read('rates');
  return { ...DEFAULT_RATES, ...(set === null ? {} : (JSON.parse(set) as Rates)) };
}

/** Sets rates on top of those already set. */
export function writeRates(simulation: Simulation, rates: Rates): void {
  simulation.settings.write('rates', JSON.stringify({ ...readRates(simulation), ...rates }));
}
