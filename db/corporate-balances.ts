import { Refusal } from '../domain/errors.ts';
import type { Trx } from './atomically.ts';
import { holdCorporation, refuseStanding } from './corporations.ts';
import type { Programme } from './partners.ts';

/** What must hold of a corporation before a balance is opened, in order (onboarding 4). Throws 404, 422. */
export async function requireCorporateOwner(
  trx: Trx,
  scope: readonly number[],
  corporationId: string,
  programmeOf: (programmeId: number) => Programme,
  currency: string,
): Promise<Programme> {
  const corporation = await holdCorporation(trx, scope, corporationId, 'share');
  const programme = programmeOf(corporation.programmeId);
  refuseStanding(corporation);
  if (!programme.currencies.includes(currency)) {
    throw new Refusal('CURRENCY_NOT_SUPPORTED', 'The currency is not enabled in this programme.');
  }
  return programme;
}
