import type { SimState } from './state.ts';

/** Right after an outage a first number above 1 may follow one that was lost. */
const graceMs = 60_000;
const mostExcused = 1_000;

/**
 * Notes the first arrival of a number under its order key; false when it comes after a higher one. A number
 * that was skipped while the port was closed may come later: its first attempt was lost, this is a resend.
 */
export function noteSequence(
  state: SimState,
  orderKey: string,
  sequence: number,
  now: Date,
  outageEndedAt: Date | null,
): boolean {
  const known = state.sequences.get(orderKey);
  const highest = known?.highest ?? 0;
  const excused = known?.excused ?? [];
  if (sequence > highest) {
    const quietSince = known === undefined ? now.getTime() - graceMs : Date.parse(known.at);
    const lost = outageEndedAt !== null && outageEndedAt.getTime() >= quietSince;
    const skipped = lost ? range(Math.max(highest + 1, sequence - mostExcused), sequence) : [];
    const progress = { highest: sequence, at: now.toISOString(), excused: [...excused, ...skipped] };
    state.sequences.set(orderKey, progress);
    return true;
  }
  if (known === undefined || !excused.includes(sequence)) return false;
  state.sequences.set(orderKey, { ...known, excused: excused.filter((one) => one !== sequence) });
  return true;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}
