import type { NetworkAnswer } from '../../domain/decision.ts';

/** What the answers told about one purchase: what the books must show when all is over. */
export interface PurchaseModel {
  readonly id: string;
  readonly approved: boolean;
  authorized: number;
  cleared: number;
  reversed: number;
  held: number;
  refunded: number;
  state: 'AUTHORIZED' | 'PARTLY_CLEARED' | 'CLEARED' | 'REVERSED' | 'DECLINED';
  /** Messages that were answered about it: one event row each. */
  events: number;
}

/** A purchase as its first answer told it. */
export function purchased(answer: NetworkAnswer, amount: number): PurchaseModel {
  if (answer.id === null) throw new Error('a card of the campaign is not known');
  const approved = answer.result === 'APPROVED';
  return {
    id: answer.id,
    approved,
    authorized: approved ? amount : 0,
    cleared: 0,
    reversed: 0,
    refunded: 0,
    held: approved ? amount : 0,
    state: approved ? 'AUTHORIZED' : 'DECLINED',
    events: 1,
  };
}

/** An increment that was approved. */
export function increased(model: PurchaseModel, amount: number): void {
  model.authorized += amount;
  model.held += amount;
  model.events += 1;
}

/** A reversal of `amount`, which is no more than what is held. */
export function reversedBy(model: PurchaseModel, amount: number): void {
  model.reversed += amount;
  model.held -= amount;
  model.events += 1;
  if (model.held === 0) model.state = model.cleared > 0 ? 'CLEARED' : 'REVERSED';
}

/** A clearing record; the last one frees what is left. */
export function clearedBy(model: PurchaseModel, amount: number, final: boolean): void {
  model.cleared += amount;
  model.held = final ? 0 : Math.max(model.held - amount, 0);
  model.events += 1;
  model.state = model.held === 0 ? 'CLEARED' : 'PARTLY_CLEARED';
}
