import { Refusal } from '../../domain/errors.ts';
import { readMoney } from '../../domain/money.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { onlyValue } from './options.ts';

/** The one value of an option that has to be there. Throws `CommandFailed` 64. */
export function neededValue(command: string, name: string, values: readonly string[]): string {
  const value = onlyValue(command, name, values);
  if (value === null || value === '') throw wrongUsage(`cardloom ${command}: --${name} is missing`);
  return value;
}

/** An ISO 4217 code in any case. Throws `CommandFailed` 64. */
export function currencyValue(command: string, values: readonly string[]): string {
  const currency = neededValue(command, 'currency', values).toUpperCase();
  if (!/^[A-Z]{3}$/.test(currency)) throw wrongUsage(`cardloom ${command}: --currency must be like EUR`);
  return currency;
}

/** Minor units of an amount like `12.34`, above zero. Throws `CommandFailed` 64. */
export function amountValue(command: string, values: readonly string[], currency: string): number {
  const amount = readMoney(neededValue(command, 'amount', values), currency);
  if (amount === null || amount === 0) {
    throw wrongUsage(`cardloom ${command}: --amount must be like 12.34, with the decimals of ${currency}`);
  }
  return amount;
}

/** A word of a closed list in any case. Throws `CommandFailed` 64. */
export function wordValue<const W extends string>(
  command: string,
  name: string,
  values: readonly string[],
  words: readonly W[],
): W {
  const sent = neededValue(command, name, values).toLowerCase();
  const found = words.find((one) => one.toLowerCase() === sent);
  if (found === undefined) {
    throw wrongUsage(`cardloom ${command}: --${name} must be one of ${words.join(', ')}`);
  }
  return found;
}

/** Text of at most `most` characters. Throws `CommandFailed` 64. */
export function textValue(command: string, name: string, values: readonly string[], most: number): string {
  const text = neededValue(command, name, values);
  if (text.length > most) throw wrongUsage(`cardloom ${command}: --${name} may have ${most} characters`);
  return text;
}

/** Refuses what stands without a name. Throws `CommandFailed` 64. */
export function refuseGiven(command: string, given: readonly string[]): void {
  if (given.length > 0) throw wrongUsage(`cardloom ${command}: cannot read ${given[0]}`);
}

/** Runs `work`; a refusal ends the command with exit code 1 and says why. */
export async function orFail<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) throw new CommandFailed(exitCode.failed, `${error.code}: ${error.detail}`);
    throw error;
  }
}
