import { channel } from '../channel.ts';
import type { OperatorPrincipal } from '../operator-principal.ts';
import { admitAddress, identifyOperator, permitOperator } from './identify.ts';
import { session } from './session.ts';

/** The back office (administration): every route names its row of the permission matrix. */
export const adminChannel = channel<OperatorPrincipal>({
  name: 'admin',
  prefix: '/admin',
  identify: identifyOperator,
  admit: admitAddress,
  permit: permitOperator,
  routes: [...session],
});

export const adminChannels = [adminChannel];
