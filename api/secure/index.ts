import { admitPartner, identifyPartner } from '../certificate-channels.ts';
import { channel } from '../channel.ts';
import { allBalances } from './all-balances.ts';
import { balances } from './balances.ts';
import { cardLocks } from './card-locks.ts';
import { cards } from './cards.ts';
import { limits } from './limits.ts';
import { partnerBalanceAlerts } from './partner-balance-alerts.ts';
import { partnerBalances } from './partner-balances.ts';
import { topUps } from './top-ups.ts';
import { transactions } from './transactions.ts';
import { verifications } from './verifications.ts';

/** Partners' servers: client certificate with scope `partner`. */
export const secureChannel = channel({
  name: 'secure',
  prefix: '/secure',
  identify: identifyPartner,
  admit: (services, arrival, known) => admitPartner(services, arrival, known, 'optional'),
  routes: [
    ...verifications,
    ...balances,
    ...allBalances,
    ...cards,
    ...cardLocks,
    ...limits,
    ...topUps,
    ...partnerBalances,
    ...partnerBalanceAlerts,
    ...transactions,
  ],
});
