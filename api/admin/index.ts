import { channel } from '../channel.ts';
import { identifyNobody } from '../nobody.ts';
import { doorRoute, type OperatorPrincipal } from '../operator-principal.ts';
import type { NobodyPrincipal } from '../partner-principal.ts';
import { publicKeyRoute } from '../public-key.ts';
import type { Route } from '../route.ts';
import { approvalRoutes } from './approvals.ts';
import { auditLog } from './audit-log.ts';
import { runAdminRoute } from './four-eyes.ts';
import { admitAddress, holdOperator, identifyOperator, permitOperator } from './identify.ts';
import { linkRoutes } from './links.ts';
import { me } from './me.ts';
import { operators } from './operators.ts';
import { resources } from './resources.ts';
import { rolesRoute } from './roles.ts';
import { session } from './session.ts';
import { signInRoutes } from './sign-in.ts';

const routes: readonly Route[] = [
  ...session,
  ...me,
  ...operators,
  ...auditLog,
  ...resources,
  rolesRoute(() => routes),
  ...approvalRoutes((operation) => routes.find((one) => one.operation === operation)),
];

/** The back office (administration): every route names its row of the permission matrix. */
export const adminChannel = channel<OperatorPrincipal>({
  name: 'admin',
  prefix: '/admin',
  identify: identifyOperator,
  admit: admitAddress,
  permit: permitOperator,
  hold: holdOperator,
  run: runAdminRoute,
  routes,
});

/** What leads to a session: before it nobody is known. */
const adminDoor = channel<NobodyPrincipal>({
  name: 'admin',
  prefix: '/admin',
  anonymous: true,
  identify: identifyNobody('admin-door'),
  admit: admitAddress,
  routes: [...signInRoutes, ...linkRoutes, doorRoute(publicKeyRoute('adminPublicKey'))],
});

export const adminChannels = [adminDoor, adminChannel];
