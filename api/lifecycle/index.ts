import { admitPartner, identifyPartner } from '../certificate-channels.ts';
import { channel } from '../channel.ts';
import { corporationAddressRoutes } from '../corporation-address-routes.ts';
import { corporationRoutes } from '../corporation-routes.ts';
import { corporationStateRoutes } from '../corporation-state-routes.ts';
import type { Door } from '../door.ts';
import { employeeRoutes } from '../employee-routes.ts';
import { type PartnerPrincipal, partnerRoute, programmeIds, programmeOf } from '../partner-principal.ts';
import { userImportRoutes } from '../user-import-routes.ts';
import { cardLocks } from './card-locks.ts';
import { cards } from './cards.ts';
import { corporations } from './corporations.ts';
import { transactionalLocks } from './transactional-locks.ts';
import { userAddresses } from './user-addresses.ts';
import { importUsers } from './user-imports.ts';
import { userStates } from './user-states.ts';
import { wallets } from './wallets.ts';

const door: Door<PartnerPrincipal> = {
  route: partnerRoute,
  prefix: '',
  home: '/lifecycle/v1',
  owner: 'programme',
  role: () => ({ scopes: ['partner'] }),
  scope: programmeIds,
  programmeOf,
  reader: (principal) => principal.partnerPublicId,
};

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
    ...corporationRoutes(door),
    ...corporationStateRoutes(door),
    ...corporationAddressRoutes(door),
    ...employeeRoutes(door),
    importUsers,
    ...userImportRoutes(door),
    ...transactionalLocks,
  ],
});
