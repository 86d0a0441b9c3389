import { isoFormat4PinBlock } from '../pin-block.ts';
import type { Simulation } from '../simulation.ts';
import type { ProcessorCard } from '../store/cards.ts';

/** The PIN a cardholder types, as it travels: format 4 under the shared transport key; null without one. */
export function pinBlockOf(simulation: Simulation, card: ProcessorCard, pin: string | undefined) {
  if (pin === undefined) return null;
  const { keyId, key } = simulation.keys.pinTransport;
  return { format: 'ISO-4' as const, keyId, data: isoFormat4PinBlock(key, pin, card.pan) };
}

/** The CVC2 a cardholder types, encrypted for the platform; null without one. */
export async function cvc2PayloadOf(
  simulation: Simulation,
  cvc2: string | undefined,
): Promise<string | null> {
  return cvc2 === undefined ? null : simulation.platform.encrypt({ cvc2 });
}
