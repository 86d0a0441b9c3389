import { channel } from '../channel.ts';
import type { OperatorPrincipal } from '../operator-principal.ts';
import { admitAddress, identifyOperator, permitOperator } from './identify.ts';
import { balances } from './balances.ts';
import { cardProducts } from './card-products.ts';
import { cards } from './cards.ts';
import { clearingFiles } from './clearing-files.ts';
import { customers } from './customers.ts';
import { exceptions } from './exceptions.ts';
import { holds } from './holds.ts';
import { limits } from './limits.ts';
import { partnerBalances } from './partner-balances.ts';
import { session } from './session.ts';
import { transactions } from './transactions.ts';

/** The back office (administration): every route names its row of the permission matrix. */
export const adminChannel = channel<OperatorPrincipal>({
  name: 'admin',
  prefix: '/admin',
  identify: identifyOperator,
  admit: admitAddress,
  permit: permitOperator,
  routes: [
    ...session,
    ...balances,
    ...partnerBalances,
    ...transactions,
    ...holds,
    ...exceptions,
    ...clearingFiles,
    ...cards,
    ...cardProducts,
    ...limits,
    ...customers,
  ],
});

export const adminChannels = [adminChannel];
