import { channel } from '../channel.ts';
import type { CustomerPrincipal, EntryPrincipal } from '../customer-principal.ts';
import { identifyNobody } from '../nobody.ts';
import { type NobodyPrincipal, publicRoute } from '../partner-principal.ts';
import { publicKeyRoute } from '../public-key.ts';
import { activations } from './activations.ts';
import { balances } from './balances.ts';
import { cards } from './cards.ts';
import { contactChanges } from './contact-changes.ts';
import { devices } from './devices.ts';
import { admitCustomer, holdOwnSession, identifyCustomer, identifyEntry } from './identify.ts';
import { me } from './me.ts';
import { ownDevices } from './own-devices.ts';
import { ownSecrets } from './own-secrets.ts';
import { ownSessions } from './own-sessions.ts';
import { passwordResets } from './password-resets.ts';
import { registrations } from './registrations.ts';
import { signIns } from './sessions.ts';
import { transactions } from './transactions.ts';
import { transfers } from './transfers.ts';
import { verifications } from './verifications.ts';

/** The way in of the mobile app: a programme, and nobody yet. */
const entryChannel = channel<EntryPrincipal>({
  name: 'entry',
  prefix: '/customers',
  anonymous: true,
  identify: identifyEntry,
  admit: async (_services, _arrival, known) => known,
  routes: [...registrations, ...activations, ...devices, ...signIns, ...passwordResets],
});

/** What the app reads before it knows its programme. */
const keyChannel = channel<NobodyPrincipal>({
  name: 'public',
  prefix: '/customers',
  anonymous: true,
  identify: identifyNobody('customers'),
  admit: async (_services, _arrival, known) => known,
  routes: [publicRoute(publicKeyRoute('customersPublicKey'))],
});

/** A user of the mobile app, known by the session. */
const sessionChannel = channel<CustomerPrincipal>({
  name: 'customers',
  prefix: '/customers',
  identify: identifyCustomer,
  admit: admitCustomer,
  // A live session is all that these routes ask for; whose data they touch, each look-up says.
  permit: () => undefined,
  hold: holdOwnSession,
  routes: [
    ...ownSessions,
    ...ownDevices,
    ...ownSecrets,
    ...me,
    ...contactChanges,
    ...verifications,
    ...balances,
    ...transfers,
    ...cards,
    ...transactions,
  ],
});

export const customerChannels = [keyChannel, entryChannel, sessionChannel];
