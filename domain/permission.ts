import type { OperatorRole, OperatorScope } from './operator.ts';

/**
 * `x`: may; `2`: may, but it takes effect only when a second operator approves; `review`: may where the
 * `kycReviewRoles` of the programme list the role; `-`: may not.
 */
export type Grant = 'x' | '2' | 'review' | '-';

interface PermissionRule {
  readonly roles: Readonly<Record<OperatorRole, Grant>>;
  /** For operators of the platform only; to those of a partner the route is not there. */
  readonly platformOnly: boolean;
}

const row = (Admin: Grant, Manager: Grant, Employee: Grant): PermissionRule => ({
  roles: { Admin, Manager, Employee },
  platformOnly: false,
});

const platform = (Admin: Grant, Manager: Grant, Employee: Grant): PermissionRule => ({
  roles: { Admin, Manager, Employee },
  platformOnly: true,
});

/** The permission matrix (channels 13): routes name a row of it, tests and the panel read it. */
export const PERMISSIONS = {
  self: row('x', 'x', 'x'),
  'operators.read': row('x', 'x', '-'),
  'operators.invite': row('x', 'x', '-'),
  'operators.manage': row('x', '-', '-'),
  'operators.makeAdmin': row('2', '-', '-'),
  'approvals.decide': row('x', 'x', '-'),
  'partners.read': row('x', 'x', 'x'),
  'partners.write': platform('2', '-', '-'),
  'connections.read': row('x', 'x', '-'),
  'connections.write': row('x', '-', '-'),
  'connections.change': row('2', '-', '-'),
  'certificates.handle': row('x', 'x', '-'),
  'certificates.decide': row('x', '-', '-'),
  'customers.read': row('x', 'x', 'x'),
  'customers.write': row('x', 'x', '-'),
  'customers.lock': row('x', 'x', 'x'),
  'customers.delete': row('x', '-', '-'),
  'customers.erase': row('2', '-', '-'),
  imports: row('x', 'x', '-'),
  'verifications.handle': row('x', 'x', '-'),
  'verifications.decide': row('x', 'review', '-'),
  'screening.decide': row('x', '-', '-'),
  // A list is one for all partners: only the platform replaces it.
  'screening.load': platform('x', '-', '-'),
  'kyb.handle': row('x', 'x', '-'),
  'kyb.decide': row('x', '-', '-'),
  'corporations.read': row('x', 'x', 'x'),
  'corporations.write': row('x', 'x', '-'),
  'corporations.delete': row('x', '-', '-'),
  'transactionalLocks.read': row('x', 'x', 'x'),
  'transactionalLocks.add': row('x', 'x', '-'),
  'transactionalLocks.remove': row('x', '-', '-'),
  'balances.read': row('x', 'x', 'x'),
  'balances.write': row('x', 'x', '-'),
  'balances.post': row('2', '2', '-'),
  'partnerBalances.post': platform('2', '-', '-'),
  'settlements.read': row('x', 'x', '-'),
  'cards.read': row('x', 'x', 'x'),
  'cards.issue': row('x', 'x', '-'),
  'cards.handle': row('x', 'x', 'x'),
  'cards.lockFinally': row('2', '2', '2'),
  'cards.manage': row('x', 'x', '-'),
  'cardOrders.close': row('x', '-', '-'),
  'transactions.read': row('x', 'x', 'x'),
  'transactions.annotate': row('x', 'x', '-'),
  'exceptions.resolve': row('2', '2', '-'),
  'exceptions.handle': row('x', 'x', '-'),
  'clearingFiles.upload': platform('x', 'x', '-'),
  'rules.read': row('x', 'x', 'x'),
  'fees.write': platform('x', '-', '-'),
  'fees.activate': platform('2', '-', '-'),
  'limits.write': row('x', 'x', '-'),
  'aml.write': row('x', '-', '-'),
  'bankAccounts.handle': row('x', 'x', '-'),
  'deliveries.resolve': row('x', '-', '-'),
  'deliveries.resolveMoney': row('2', '-', '-'),
  'rules.change': row('2', '-', '-'),
  reports: row('x', 'x', '-'),
  'reports.statement': row('x', 'x', 'x'),
  'system.read': platform('x', 'x', '-'),
  'workflows.steer': platform('x', '-', '-'),
  'audit.read': row('x', '-', '-'),
  sandbox: row('x', 'x', 'x'),
} as const satisfies Readonly<Record<string, PermissionRule>>;

export type Permission = keyof typeof PERMISSIONS;

/** What an operator may do under a permission; `hidden`: for this scope the route does not exist. */
export function grantOf(
  permission: Permission,
  operator: { readonly role: OperatorRole; readonly scope: OperatorScope },
): Grant | 'hidden' {
  const rule: PermissionRule = PERMISSIONS[permission];
  if (rule.platformOnly && operator.scope !== 'PLATFORM') return 'hidden';
  return rule.roles[operator.role];
}

/** An operator as the matrix asks for one, with what the programmes in scope say about reviewers. */
export interface MatrixOperator {
  readonly role: OperatorRole;
  readonly scope: OperatorScope;
  readonly programmes: readonly { readonly kycReviewRoles: readonly OperatorRole[] }[];
}

/** True where the matrix lets an operator in, be it with a second one or for some programmes only. */
export function isGranted(permission: Permission, operator: MatrixOperator): boolean {
  switch (grantOf(permission, operator)) {
    case 'x':
    case '2':
      return true;
    case 'review':
      return operator.programmes.some((one) => one.kycReviewRoles.includes(operator.role));
    case '-':
    case 'hidden':
      return false;
  }
}

/** Every permission that an operator has, in the order of the matrix. */
export const permissionsOf = (operator: MatrixOperator): Permission[] =>
  (Object.keys(PERMISSIONS) as Permission[]).filter((one) => isGranted(one, operator));
