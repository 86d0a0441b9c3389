import { Refusal } from '../../domain/errors.ts';
import { CommandFailed, exitCode } from '../exit-code.ts';

/** Tells a person why the platform refused, and rethrows everything else. */
export function failOnRefusal(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  const fields = (error.options.fields ?? []).map((one) => ` ${one.field} ${one.message}.`).join('');
  throw new CommandFailed(exitCode.failed, `${error.code}: ${error.detail}${fields}`);
}
