import { channel } from '../channel.ts';
import type { OperatorPrincipal } from '../operator-principal.ts';
import type { Route } from '../route.ts';
import { approvalRoutes } from './approvals.ts';
import { runAdminRoute } from './four-eyes.ts';
import { admitAddress, identifyOperator, permitOperator } from './identify.ts';
import { session } from './session.ts';

const routes: readonly Route[] = [
  ...session,
  ...approvalRoutes((operation) => routes.find((one) => one.operation === operation)),
];

/** The back office (administration): every route names its row of the permission matrix. */
export const adminChannel = channel<OperatorPrincipal>({
  name: 'admin',
  prefix: '/admin',
  identify: identifyOperator,
  admit: admitAddress,
  permit: permitOperator,
  run: runAdminRoute,
  routes,
});

export const adminChannels = [adminChannel];
