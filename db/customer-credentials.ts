import type { Selectable } from 'kysely';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { CustomerCredentialsTable } from './database.ts';
import { deviceGuard, liftGuard, passwordGuard } from './guess-guards.ts';
import { pairedDevices } from './devices.ts';

export type CredentialsRow = Selectable<CustomerCredentialsTable>;

interface Owner {
  readonly customerId: number;
  readonly partnerId: number;
}

/** What a user signs in with, or undefined before the first pairing or registration. */
export async function findCredentials(trx: Trx, customerId: number): Promise<CredentialsRow | undefined> {
  return await trx
    .selectFrom('customer_credentials')
    .selectAll()
    .where('customer_id', '=', customerId)
    .executeTakeFirst();
}

/** Sets a user's password, by its stored form; wrong guesses at the old one are forgotten. */
export async function setPassword(
  trx: Trx,
  owner: Owner & { readonly programmeId: number },
  passwordHash: string,
): Promise<void> {
  await write(trx, owner, { password_hash: passwordHash });
  await liftGuard(trx, owner.programmeId, passwordGuard(owner.customerId));
  await audit(trx, { action: 'password.set', objectType: 'customer', objectId: owner.customerId });
}

/** Notes the version of the terms that a user has accepted. */
export async function acceptTerms(trx: Trx, owner: Owner, termsVersion: string): Promise<void> {
  await write(trx, owner, { terms_version: termsVersion });
  await audit(trx, {
    action: 'terms.accepted',
    objectType: 'customer',
    objectId: owner.customerId,
    after: { termsVersion },
  });
}

/** Lifts the password lock of a user, and what guesses at once still hold up (operators' `credentials-unlock`). */
export async function liftSignInLocks(
  trx: Trx,
  owner: Owner & { readonly programmeId: number },
  reason: string | null = null,
): Promise<void> {
  await liftGuard(trx, owner.programmeId, passwordGuard(owner.customerId));
  for (const device of await pairedDevices(trx, owner.customerId)) {
    if (device.state === 'ACTIVE') {
      await liftGuard(trx, owner.programmeId, deviceGuard(device.installation_id));
    }
  }
  await audit(trx, {
    action: 'sign_in.unlocked',
    objectType: 'customer',
    objectId: owner.customerId,
    partnerId: owner.partnerId,
    ...(reason === null ? {} : { after: { reason } }),
  });
}

async function write(
  trx: Trx,
  { customerId, partnerId }: Owner,
  change: Partial<Pick<CredentialsRow, 'password_hash' | 'terms_version'>>,
): Promise<void> {
  await trx
    .insertInto('customer_credentials')
    .values({
      customer_id: customerId,
      partner_id: partnerId,
      password_hash: null,
      terms_version: null,
      updated_at: nowOf(trx),
      ...change,
    })
    .onConflict((conflict) =>
      conflict.column('customer_id').doUpdateSet({ ...change, updated_at: nowOf(trx) }),
    )
    .execute();
}
