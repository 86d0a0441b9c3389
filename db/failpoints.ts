import { setTimeout as sleep } from 'node:timers/promises';

/** The places at which tests may break a process (authorization 14, reliability R7). */
export const FAILPOINTS = [
  /** Everything is decided, nothing of it is written. */
  'auth.before_commit',
  /** The commit is durable; its answer has not left. */
  'auth.before_answer',
  /** The verdict on a PIN or CVC2 is known, its counter not yet committed. */
  'auth.after_pin_check',
  /** The records of a clearing batch are decided in an open transaction. */
  'clearing.in_batch',
  /** The holds of one run of the sweeper are released in an open transaction. */
  'sweeper.in_batch',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

type Action =
  { readonly kind: 'kill' } | { readonly kind: 'throw' } | { readonly kind: 'delay'; readonly ms: number };

interface Armed {
  readonly action: Action;
  /** From 0 to 1: how often passing by sets it off. */
  readonly chance: number;
}

const FORM = /^([a-z_]+\.[a-z_]+)=(kill|throw|delay:([0-9]{1,6}))(?:@(0?\.[0-9]+|1))?$/;

const armed = new Map<Failpoint, Armed>();

/** A failpoint that was set to throw. */
export class FailpointReached extends Error {
  override readonly name = 'FailpointReached';
}

/**
 * Reads `auth.before_commit=kill@0.02;auth.before_answer=delay:200`; null where the text is fine, else what is
 * wrong with it. Arms nothing.
 */
export function failpointFault(text: string): string | null {
  return 'fault' in parse(text) ? 'must be <name>=kill|throw|delay:<ms>[@<chance>], separated by ;' : null;
}

/** Sets the failpoints of this process; the caller makes sure that it is no production. Throws on a bad text. */
export function armFailpoints(text: string): void {
  const parsed = parse(text);
  if ('fault' in parsed) throw new Error(parsed.fault);
  armed.clear();
  for (const [name, one] of parsed.armed) armed.set(name, one);
}

/** Does nothing unless the point is armed: then the process dies here, waits, or throws `FailpointReached`. */
export async function failpoint(name: Failpoint): Promise<void> {
  const one = armed.get(name);
  if (one === undefined || Math.random() >= one.chance) return;
  switch (one.action.kind) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      // The signal is on its way: nothing after this line may run.
      await sleep(60_000);
      return;
    case 'delay':
      await sleep(one.action.ms);
      return;
    case 'throw':
      throw new FailpointReached(`failpoint ${name}`);
  }
}

function parse(text: string): { readonly armed: ReadonlyMap<Failpoint, Armed> } | { readonly fault: string } {
  const found = new Map<Failpoint, Armed>();
  for (const part of text.split(';').filter((one) => one !== '')) {
    const [, name = '', what = '', ms = '0', chance = '1'] = FORM.exec(part) ?? [];
    const known = FAILPOINTS.find((one) => one === name);
    if (known === undefined) return { fault: `no failpoint: ${part}` };
    found.set(known, { action: actionOf(what, Number(ms)), chance: Number(chance) });
  }
  return { armed: found };
}

function actionOf(what: string, ms: number): Action {
  if (what === 'kill' || what === 'throw') return { kind: what };
  return { kind: 'delay', ms };
}
