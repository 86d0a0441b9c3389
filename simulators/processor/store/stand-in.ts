import { z } from 'zod';
import type { Settings } from './settings.ts';

/** How the network decides when the platform is silent: no, or yes up to an amount of the card's currency. */
export const standInBody = z.union([
  z.literal('decline').transform(() => ({ decision: 'decline' as const })),
  z.strictObject({ decision: z.literal('decline') }),
  z.strictObject({ decision: z.literal('approve'), upTo: z.number().int().positive().max(999_999_999_999) }),
]);

export type StandIn = z.output<typeof standInBody>;

/** The configured rule; `decline` when nobody set one. */
export function readStandIn(settings: Settings): StandIn {
  const kept = settings.read('standIn');
  return kept === null ? { decision: 'decline' } : (JSON.parse(kept) as StandIn);
}

/** Sets the rule. */
export const writeStandIn = (settings: Settings, standIn: StandIn): void =>
  settings.write('standIn', JSON.stringify(standIn));

/** Whether the network says yes to `amountMinorUnits` by itself. */
export const standsInFor = (standIn: StandIn, amountMinorUnits: number): boolean =>
  standIn.decision === 'approve' && amountMinorUnits <= standIn.upTo;
