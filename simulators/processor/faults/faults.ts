import type { Draws } from '../draws.ts';
import type { ProcessorCard } from '../store/cards.ts';
import type { Direction } from '../store/messages.ts';
import type { Fault, FaultBody } from './body.ts';
import type { Disturbance } from './disturbance.ts';
import { together } from './disturbance.ts';

export interface Faults {
  add(body: FaultBody): Fault;
  list(): readonly Fault[];
  remove(faultId: string): boolean;
  clear(): void;
  /** Counts a hit on every fault that applies to this message and tells what they do. */
  disturb(direction: Direction, message: string, card: ProcessorCard | null): Disturbance;
}

/** Faults live in memory: a restart of the simulator ends them. Choices come from the seed. */
export function createFaults(draws: Draws): Faults {
  const active = new Map<string, FaultBody & { faultId: string; hits: number }>();
  let made = 0;
  return {
    add: (body) => {
      made += 1;
      const fault = { ...body, faultId: `f-${made}`, hits: 0 };
      active.set(fault.faultId, fault);
      return { ...fault };
    },
    list: () => [...active.values()].map((fault) => ({ ...fault })),
    remove: (faultId) => active.delete(faultId),
    clear: () => active.clear(),
    disturb: (direction, message, card) => {
      const hitting: Fault[] = [];
      let jitter = 0;
      for (const fault of active.values()) {
        if (!applies(fault, direction, message, card)) continue;
        const draw = draws.next('fault');
        if (draw.fraction('probability') >= fault.probability) continue;
        jitter = draw.fraction('jitter');
        fault.hits += 1;
        if (fault.count !== null && fault.hits >= fault.count) active.delete(fault.faultId);
        hitting.push(fault);
      }
      return together(hitting, jitter);
    },
  };
}

function applies(fault: Fault, direction: Direction, message: string, card: ProcessorCard | null): boolean {
  if (fault.direction !== direction || (fault.message !== '*' && fault.message !== message)) return false;
  const { cardId, processorCardId } = fault.match;
  if (cardId !== undefined && card?.externalCardId !== String(cardId)) return false;
  return processorCardId === undefined || card?.processorCardId === processorCardId;
}
