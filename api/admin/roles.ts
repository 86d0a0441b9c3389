import { OPERATOR_ROLES } from '../../domain/operator.ts';
import { grantOf } from '../../domain/permission.ts';
import { adminRoute } from '../operator-principal.ts';
import type { Route } from '../route.ts';
import { z } from '../schemas/shared.ts';

const roleSchema = z.strictObject({
  route: z.string(),
  roles: z.array(z.enum(OPERATOR_ROLES)),
  fourEyes: z.boolean(),
  stepUp: z.boolean(),
  platformOnly: z.boolean(),
});

/** Route by role, as the door itself goes by them; `routes` gives all of `/admin`. */
export const rolesRoute = (routes: () => readonly Route[]): Route =>
  adminRoute({
    operation: 'listRoles',
    method: 'GET',
    path: '/roles',
    summary: 'Which role may call which route',
    permission: 'operators.read',
    jwe: 'open',
    idempotency: 'ignored',
    answers: {
      200: { description: 'every route', schema: z.strictObject({ items: z.array(roleSchema) }) },
    },
    refusals: [],
    handle: async () => ({ status: 200, body: { items: routes().flatMap(describe) } }),
  });

function describe({ method, path, role }: Route) {
  if (role === 'nobody-asked' || !('permission' in role)) return [];
  const { permission, stepUp, fourEyes } = role;
  const may = (scope: 'PLATFORM' | 'PARTNER') =>
    OPERATOR_ROLES.filter((one) => ['x', '2'].includes(grantOf(permission, { role: one, scope })));
  return [
    {
      route: `${method} /admin${path}`,
      roles: may('PLATFORM'),
      fourEyes: fourEyes !== null,
      stepUp,
      platformOnly: may('PARTNER').length === 0,
    },
  ];
}
