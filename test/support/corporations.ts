import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { atomically } from '../../db/atomically.ts';
import {
  contactPlace,
  type Corporation,
  createCorporation,
  type NewCorporation,
} from '../../db/corporations.ts';
import { newSubjectId } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import type { Programme } from '../../db/partners.ts';
import { newSubjectKey, sealPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import type { TestCard } from './card-traffic.ts';
import { engineCaller } from './customers.ts';

/** Creates a corporation that nobody has verified, unless told otherwise. */
export const aCorporation = (
  db: Kysely<Database>,
  vault: Vault,
  programme: Programme,
  changes: Partial<Omit<NewCorporation, 'subjectKey' | 'contact'>> = {},
): Promise<Corporation> =>
  atomically(db, engineCaller, (trx) => {
    const { partnerId } = programme;
    const subjectKey = newSubjectKey(vault, { subjectId: newSubjectId(trx), partnerId });
    return createCorporation(trx, programme, {
      subjectKey,
      name: 'Example Works',
      country: 'PL',
      taxId: randomUUID().slice(0, 12),
      contact: sealPersonal(vault, subjectKey, contactPlace(subjectKey.subjectId), {
        email: 'office@example.com',
        phone: '48221234567',
      }),
      legalForm: null,
      registryNumber: null,
      website: null,
      externalId: null,
      kybApplicationId: null,
      kyb: 'NOT_STARTED',
      ...changes,
    });
  });

/** Makes a corporation the owner of a card and its balance; the person of the card goes on holding it, or nobody. */
export async function giveToCorporation(
  owner: Kysely<Database>,
  card: TestCard,
  corporationId: string,
  holder: 'held' | 'unheld' = 'held',
): Promise<void> {
  const owned = { corporation_id: corporationId, ...(holder === 'unheld' ? { customer_id: null } : {}) };
  await owner
    .updateTable('balances')
    .set({ corporation_id: corporationId, customer_id: null })
    .where('balance_id', '=', card.balanceId)
    .execute();
  await owner.updateTable('cards').set(owned).where('card_id', '=', card.cardId).execute();
  await owner.updateTable('card_states').set(owned).where('card_id', '=', card.cardId).execute();
}
