import type { Route } from '../route.ts';
import { balances } from './balances.ts';
import { cardProducts } from './card-products.ts';
import { cards } from './cards.ts';
import { certificates } from './certificates.ts';
import { clearingFiles } from './clearing-files.ts';
import { corporations, userImports } from './corporations.ts';
import { customerAccess } from './customer-access.ts';
import { customerAddresses } from './customer-addresses.ts';
import { customerStates } from './customer-states.ts';
import { customers } from './customers.ts';
import { exceptions } from './exceptions.ts';
import { holds } from './holds.ts';
import { kybReviews } from './kyb-reviews.ts';
import { kyb } from './kyb.ts';
import { limits } from './limits.ts';
import { money } from './money.ts';
import { partnerBalancePostings } from './partner-balance-postings.ts';
import { partnerBalances } from './partner-balances.ts';
import { partners } from './partners.ts';
import { programmes } from './programmes.ts';
import { screening } from './screening.ts';
import { transactionalLocks } from './transactional-locks.ts';
import { transactions } from './transactions.ts';
import { verificationDecisions } from './verification-decisions.ts';
import { verifications } from './verifications.ts';

/** What operators see and do with what the platform keeps. */
export const resources: readonly Route[] = [
  ...balances,
  ...money,
  ...partnerBalances,
  ...partnerBalancePostings,
  ...transactions,
  ...holds,
  ...exceptions,
  ...clearingFiles,
  ...cards,
  ...cardProducts,
  ...limits,
  ...customers,
  ...customerStates,
  ...customerAddresses,
  ...customerAccess,
  ...transactionalLocks,
  ...verifications,
  ...verificationDecisions,
  ...screening,
  ...kyb,
  ...corporations,
  ...userImports,
  ...kybReviews,
  ...certificates,
  ...partners,
  ...programmes,
];
