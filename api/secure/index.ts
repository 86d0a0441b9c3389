import { admitCertificate, admitPartner, identifyPartner, identifySponsor } from '../certificate-channels.ts';
import { channel } from '../channel.ts';
import { allBalances } from './all-balances.ts';
import { balances } from './balances.ts';
import { cardLocks } from './card-locks.ts';
import { cards } from './cards.ts';
import { certificates } from './certificates.ts';
import { kyb } from './kyb.ts';
import { limits } from './limits.ts';
import { partnerBalanceAlerts } from './partner-balance-alerts.ts';
import { partnerBalancePostings } from './partner-balance-postings.ts';
import { partnerBalances } from './partner-balances.ts';
import { postings } from './postings.ts';
import { topUps } from './top-ups.ts';
import { transactions } from './transactions.ts';
import { transfers } from './transfers.ts';
import { verifications } from './verifications.ts';

/** Partners' servers: client certificate with scope `partner`. */
export const secureChannel = channel({
  name: 'secure',
  prefix: '/secure',
  identify: identifyPartner,
  admit: (services, arrival, known) => admitPartner(services, arrival, known, 'optional'),
  routes: [
    ...verifications,
    ...kyb,
    ...balances,
    ...allBalances,
    ...cards,
    ...cardLocks,
    ...limits,
    ...topUps,
    ...postings,
    ...transfers,
    ...partnerBalances,
    ...partnerBalanceAlerts,
    ...transactions,
    ...certificates,
  ],
});

/** BIN sponsors and banks' systems: client certificate with scope `bin_sponsor`, `internal` or `ims`. */
export const sponsorChannel = channel({
  name: 'sponsor',
  prefix: '/secure',
  identify: identifySponsor,
  admit: admitCertificate,
  routes: [...partnerBalancePostings],
});
