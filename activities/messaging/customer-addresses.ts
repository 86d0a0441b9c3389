import type { Kysely } from 'kysely';
import { atomically } from '../../db/atomically.ts';
import { findCustomer, personalPlace } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import type { PersonalData } from '../../domain/customer.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'mail-relay' },
  requestId: 'mail-relay',
  ip: null,
} as const;

/**
 * Looks up the e-mail address of a customer when a mail leaves, so that no queue holds it; null for a customer who
 * is gone. `db` has the role cardloom_engine.
 */
export const createCustomerAddresses =
  ({ db, vault }: { readonly db: Kysely<Database>; readonly vault: Vault }) =>
  async (customerId: number): Promise<string | null> => {
    const customer = await atomically(db, caller, (trx) => findCustomer(trx, 'every', customerId));
    if (customer === undefined || customer.state === 'DELETED') return null;
    const { subjectKey, personal } = customer;
    return openPersonal<PersonalData>(vault, subjectKey, personalPlace(subjectKey.subjectId), personal).email;
  };
