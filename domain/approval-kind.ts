import type { OperatorRole, OperatorScope } from './operator.ts';

interface KindRule {
  /** Who may approve. */
  readonly approvers: readonly OperatorRole[];
  readonly platformOnly: boolean;
}

const by = (...approvers: OperatorRole[]): KindRule => ({ approvers, platformOnly: false });

/** What may wait for a second pair of eyes, and whose (administration 3). */
export const APPROVAL_KINDS = {
  BALANCE_POSTING: by('Admin', 'Manager'),
  PARTNER_BALANCE_POSTING: { approvers: ['Admin'], platformOnly: true },
  HOLD_RELEASE: by('Admin', 'Manager'),
  EXCEPTION_RESOLUTION: by('Admin', 'Manager'),
  CARD_LOCK_FINAL: by('Admin', 'Manager'),
  DATA_ERASURE: by('Admin'),
  RULE_CHANGE: by('Admin'),
  PARTNER_CHANGE: by('Admin'),
  CERTIFICATE_ISSUE: by('Admin'),
  ADMIN_GRANT: by('Admin'),
  BULK_REPLAY: by('Admin'),
  DELIVERY_RESOLUTION: by('Admin'),
} as const satisfies Readonly<Record<string, KindRule>>;

export type ApprovalKind = keyof typeof APPROVAL_KINDS;

/** True when an operator may be the second pair of eyes for a kind. */
export function mayApprove(
  kind: ApprovalKind,
  operator: { readonly role: OperatorRole; readonly scope: OperatorScope },
): boolean {
  const rule: KindRule = APPROVAL_KINDS[kind];
  return rule.approvers.includes(operator.role) && (!rule.platformOnly || operator.scope === 'PLATFORM');
}
