import { admitPartner, identifyPartner } from '../certificate-channels.ts';
import { channel } from '../channel.ts';
import { cardLocks } from './card-locks.ts';
import { cards } from './cards.ts';
import { corporationAddresses } from './corporation-addresses.ts';
import { corporationStates } from './corporation-states.ts';
import { corporations } from './corporations.ts';
import { employees } from './employees.ts';
import { transactionalLocks } from './transactional-locks.ts';
import { userAddresses } from './user-addresses.ts';
import { userImports } from './user-imports.ts';
import { userStates } from './user-states.ts';
import { wallets } from './wallets.ts';

/** Master data: client certificate and `Issuer-Code`. */
export const lifecycleChannel = channel({
  name: 'lifecycle',
  prefix: '/lifecycle/v1',
  identify: identifyPartner,
  admit: (services, arrival, known) => admitPartner(services, arrival, known, 'required'),
  routes: [
    ...wallets,
    ...userStates,
    ...userAddresses,
    ...cards,
    ...cardLocks,
    ...corporations,
    ...corporationStates,
    ...corporationAddresses,
    ...employees,
    ...userImports,
    ...transactionalLocks,
  ],
});
