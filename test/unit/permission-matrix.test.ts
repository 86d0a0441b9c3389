import { describe, expect, it } from 'vitest';
import { adminChannels } from '../../api/admin/index.ts';
import type { OperatorRule } from '../../api/route.ts';
import { APPROVAL_KINDS, type ApprovalKind, mayApprove } from '../../domain/approval-kind.ts';
import { OPERATOR_ROLES, OPERATOR_SCOPES } from '../../domain/operator.ts';
import { grantOf, type Permission } from '../../domain/permission.ts';

/**
 * The matrix of channels 13, row by row as the document has it, with the calls that each row means: cells of Admin,
 * Manager, Employee, and after a blank those of calls that need two only sometimes. `P` is for the platform alone; a
 * star is one part of a path, `{a,b}` either. It is a copy on purpose: what the code does is held against it.
 */
const MATRIX: readonly (readonly [cells: string, ...calls: string[]])[] = [
  [
    'x|x|x',
    '{GET,DELETE} /session',
    'POST /session/step-up',
    'PUT /me/password',
    'POST /me/totp',
    'POST /me/totp/confirm',
    'GET /dashboard',
    'GET /dashboard/stream',
    'GET /approvals',
    'GET /approvals/*',
    'POST /approvals/*/cancel',
  ],
  ['x|x|-', 'GET /operators', 'GET /operators/*', 'GET /roles', 'POST /operators/*/invitation'],
  // Administration 3: who invites an Admin makes one, which takes two Admins.
  ['x|x|- 2|-|-', 'POST /operators'],
  ['x|-|- 2|-|-', 'PUT /operators/*'],
  ['x|-|-', 'POST /operators/*/{unlock,disable,enable}', 'DELETE /operators/*/sessions'],
  ['x|x|-', 'POST /approvals/*/{approve,reject}'],
  ['x|x|x', 'GET /{partners,programmes,card-products}', 'GET /{partners,programmes,card-products}/*'],
  [
    '2P|-|-',
    'POST /{partners,programmes,card-products}',
    'PUT /{partners,programmes,card-products}/*',
    'POST /partners/*/{suspend,resume}',
  ],
  [
    'x|x|-',
    'GET /partners/*/connections',
    'GET /partners/*/connections/*',
    'GET /partners/*/connections/*/certification-runs/*',
    'POST /partners/*/connections/*/{test,certification-runs}',
    'GET /programmes/*/integration',
  ],
  [
    'x|-|-',
    'POST /partners/*/connections',
    'POST /partners/*/connections/*/{csr,signing-secret,pause,resume}',
  ],
  [
    '2|-|-',
    '{PUT,DELETE} /partners/*/connections/*',
    'POST /partners/*/connections/*/certificate',
    'PUT /programmes/*/integration',
  ],
  [
    'x|x|-',
    'GET /{certificates,artworks}',
    'GET /{certificates,artworks}/*',
    'POST /{certificates,artworks}',
    'POST /certificates/*/revoke',
  ],
  ['x|-|-', 'POST /certificates/*/{approve,reject}', 'POST /artworks/*/review'],
  ['x|x|x', 'GET /customers', 'GET /customers/*', 'GET /customers/*/{addresses,devices,sessions}'],
  [
    'x|x|-',
    'POST /customers',
    'PUT /customers/*',
    'POST /customers/*/{addresses,unlock,credentials-unlock}',
    '{PUT,DELETE} /customers/*/addresses/*',
  ],
  ['x|x|x', 'POST /customers/*/lock', 'DELETE /customers/*/devices/*', 'DELETE /customers/*/sessions'],
  ['x|-|-', 'DELETE /customers/*'],
  ['2|-|-', 'POST /customers/*/erasure'],
  ['x|x|-', '{GET,POST} /imports/users', 'GET /imports/users/*', '{GET,POST} /imports/users/*/*'],
  [
    'x|x|-',
    'GET /verifications',
    'GET /verifications/*',
    'POST /verifications/*/{claim,release}',
    'POST /customers/*/verifications',
    'GET /screening/hits',
    'GET /screening/hits/*',
  ],
  [
    'x|-|-',
    'PUT /verifications/*',
    'GET /verifications/*/documents/*',
    'POST /verifications/*/{accept,reject}',
  ],
  ['x|-|-', 'POST /screening/hits/*/decision', 'GET /screening/lists', 'POST /screening/lists/*'],
  [
    'x|x|-',
    '{GET,POST} /kyb/applications',
    'GET /kyb/applications/*',
    '{GET,DELETE} /kyb/applications/*/documents/*',
    'POST /kyb/applications/*/{documents,submit,comments,claim,release,request-correction,hold,resume}',
    'PUT /kyb/applications/*/sections/*',
    'PUT /kyb/applications/*/sections/*/review',
  ],
  ['x|-|-', 'POST /kyb/applications/*/{accept,reject}'],
  [
    'x|x|x',
    'GET /corporations',
    'GET /corporations/*',
    'GET /corporations/*/{employees,addresses}',
    'GET /corporations/*/employees/*',
  ],
  [
    'x|x|-',
    'POST /corporations',
    'PUT /corporations/*',
    'POST /corporations/*/{lock,unlock,employees,addresses}',
    '{PUT,DELETE} /corporations/*/{addresses,employees}/*',
  ],
  ['x|-|-', 'DELETE /corporations/*'],
  ['x|x|x', 'GET /{customers,corporations}/*/transactional-locks'],
  ['x|x|-', 'POST /{customers,corporations}/*/transactional-locks'],
  ['x|-|-', 'DELETE /{customers,corporations}/*/transactional-locks/*'],
  [
    'x|x|x',
    'GET /{balances,partner-balances}',
    'GET /{balances,partner-balances}/*',
    'GET /{customers,corporations}/*/balances',
    'GET /customers/*/balances/*',
    'GET /balances/*/{statement,statements}',
    'GET /balances/*/statements/*',
    'GET /partner-balances/*/transactions',
    'GET /balance-summary',
  ],
  [
    'x|x|-',
    'POST /{customers,corporations}/*/balances',
    'POST /balances/*/{block,unblock}',
    'DELETE /balances/*',
    'DELETE /customers/*/balances/*',
    'PUT /partner-balances/*/alert',
  ],
  ['2|2|-', 'POST /balances/*/reload', 'POST /adjustments', 'POST /fee-charges/*/waive'],
  [
    '2P|-|-',
    'POST /partner-balances',
    'POST /partner-balances/*/{transactions,reload}',
    'POST /settlements/*/confirm',
  ],
  ['x|x|-', 'GET /settlements', 'GET /settlements/*'],
  [
    'x|x|x',
    'GET /{cards,card-orders}',
    'GET /{cards,card-orders}/*',
    'GET /customers/*/cards',
    'GET /cards/*/{limits,tokens}',
  ],
  ['x|x|-', 'POST /{customers,corporations}/*/cards/virtual', 'POST /cards/search'],
  [
    'x|x|x',
    'POST /customers/*/cards/physical',
    'POST /customers/*/cards/*/print',
    'POST /cards/*/{activate,cvv}',
    'POST /card-orders/*/lost',
  ],
  ['x|x|x 2|2|2', 'POST /cards/*/lock'],
  [
    'x|x|-',
    'POST /cards/*/{unlock,replace,renew,activation-reset}',
    'DELETE /cards/*',
    'PUT /cards/*/{limits,linked-balances}',
    'POST /cards/*/tokens/*/*',
    'POST /card-orders/*/{cancel,retry-step,resolve-delivery}',
  ],
  ['x|-|-', 'POST /card-orders/*/close'],
  [
    'x|x|x',
    'GET /{transactions,transaction-history,authorizations,holds,disputes}',
    'GET /{transactions,transaction-history,authorizations,holds,disputes}/*',
    'GET /{clearing-files,exceptions,bank-accounts,bank-transfers,deliveries}',
    'GET /{clearing-files,exceptions,bank-accounts,bank-transfers,deliveries}/*',
    'GET /transactions/*/{events,trace}',
    'GET /customers/*/transactions',
    'GET /customers/*/transactions/*',
    'GET /customers/*/{balances,cards}/*/transactions',
    'GET /transaction-history/*/{events,attachments}',
    'GET /transaction-history/*/attachments/*',
    'POST /transaction-history/*/attachments/review',
  ],
  [
    'x|x|-',
    'PUT /transaction-history/*/{comment,labels,category}',
    'POST /transaction-history/*/attachments',
    'DELETE /transaction-history/*/attachments/*',
    'POST /transaction-history/exports',
  ],
  ['2|2|-', 'POST /holds/*/release', 'POST /exceptions/*/resolve', 'POST /bank-transfers/*/assign'],
  ['x|x|-', 'POST /exceptions/*/{claim,assign}', 'POST /disputes', 'POST /disputes/*/{submit,close}'],
  ['xP|xP|-', 'POST /clearing-files'],
  [
    'x|x|x',
    'GET /{fee-schedules,fee-charges,fx-rates}',
    'GET /aml/*',
    'GET /aml/*/*',
    'GET /aml/*/*/entries/*',
    'GET /{customers,corporations,programmes,card-products}/*/limits',
  ],
  ['xP|-|-', 'POST /fee-schedules', 'POST /fee-schedules/preview', 'PUT /fee-schedules/*'],
  ['xP|-|-', 'POST /fee-schedules/*/simulate'],
  ['2P|-|-', 'POST /fee-schedules/*/activate'],
  ['xP|-|- 2P|-|-', 'POST /fx-rates'],
  ['x|x|-', 'PUT /{customers,corporations}/*/limits'],
  [
    'x|-|-',
    'POST /aml/rulesets',
    'PUT /aml/rulesets/*',
    'POST /aml/rulesets/*/{test,shadow,backtest}',
    '{POST,PUT,DELETE} /aml/value-sets/*',
    '{POST,PUT,DELETE} /aml/watchlists/*/entries/*',
    'POST /aml/tickets/*/resolve',
  ],
  [
    'x|x|-',
    'POST /bank-accounts',
    'DELETE /bank-accounts/*',
    'POST /bank-accounts/*/reveal',
    'POST /bank-transfers/*/{accept,reject}',
    'POST /deliveries/*/resend',
  ],
  ['x|-|-', 'POST /deliveries/*/resend-new-key'],
  ['x|-|- 2|-|-', 'POST /deliveries/*/resolve'],
  [
    '2|-|-',
    'PUT /{programmes,card-products}/*/limits',
    'POST /aml/rulesets/*/{activate,retire}',
    'POST /deliveries/replay',
    'POST /reconciliation/items/*/resolve',
  ],
  [
    'x|x|-',
    'GET /reconciliation/items',
    'GET /workflows',
    'GET /workflows/*',
    '{GET,POST} /reports',
    '{GET,DELETE} /reports/*',
    'GET /reports/*/file',
    'POST /reports/*/cancel',
    '{GET,POST} /report-schedules',
    'DELETE /report-schedules/*',
  ],
  ['xP|xP|-', 'GET /system'],
  ['xP|-|-', 'POST /workflows/*/{retry,cancel}'],
  ['x|-|-', 'GET /audit-log', 'POST /audit-log/verify'],
];

/** Narrower than the table, and why. */
const NARROWER: Readonly<Record<string, string>> = {
  // A screening list is one for all partners: a partner's Admin would change what stops the users of another.
  'POST /screening/lists/{code}': 'xP|-|-',
};

/** Administration 3: who asks and who approves, `p` for the platform alone. */
const KINDS: Readonly<Record<ApprovalKind, readonly [asks: string, approves: string]>> = {
  BALANCE_POSTING: ['AM', 'AM'],
  PARTNER_BALANCE_POSTING: ['pA', 'pA'],
  HOLD_RELEASE: ['AM', 'AM'],
  EXCEPTION_RESOLUTION: ['AM', 'AM'],
  CARD_LOCK_FINAL: ['AME', 'AM'],
  DATA_ERASURE: ['A', 'A'],
  RULE_CHANGE: ['A', 'A'],
  PARTNER_CHANGE: ['A', 'A'],
  CERTIFICATE_ISSUE: ['AM', 'A'],
  ADMIN_GRANT: ['A', 'A'],
  BULK_REPLAY: ['A', 'A'],
  DELIVERY_RESOLUTION: ['A', 'A'],
};

/** `{a,b} /c` as `a /c` and `b /c`. */
function expanded(call: string): string[] {
  const either = /\{([^{}]+)\}/.exec(call);
  if (either === null) return [call];
  return (either[1] ?? '').split(',').flatMap((one) => expanded(call.replace(either[0], one)));
}

const ROWS = MATRIX.flatMap(([cells, ...calls]) =>
  calls.flatMap(expanded).map((call) => ({
    cells,
    call: new RegExp(`^${call.replaceAll('*', '(?:[^/]+)')}$`),
    // A path that is written out is meant before one with a star in its place.
    stars: call.split('*').length - 1,
  })),
);

function rowsOf(call: string): string[] {
  const found = ROWS.filter((row) => row.call.test(call));
  const fewest = Math.min(...found.map((row) => row.stars));
  return found.filter((row) => row.stars === fewest).map((row) => row.cells);
}

const PATHS = adminChannels.flatMap(({ routes }) =>
  routes.flatMap((route) => {
    if (route.role === 'nobody-asked' || !('permission' in route.role)) return [];
    const { role, method } = route;
    const aliases = (route.aliases ?? []).map((one) => ({ method: one.method ?? method, path: one.path }));
    return [{ method, path: route.path }, ...aliases].map(
      (one) => [`${one.method} ${one.path}`, role] as const,
    );
  }),
);

/** What the code grants under a permission, written as the table writes it. */
function cellsOf(permission: Permission): string {
  const of = (scope: 'PLATFORM' | 'PARTNER') =>
    OPERATOR_ROLES.map((role) => {
      // Managers whom a programme lists in `kycReviewRoles` stand beside the table.
      const grant = String(grantOf(permission, { role, scope }));
      return grant === 'review' || grant === 'hidden' ? '-' : grant;
    });
  const partner = of('PARTNER');
  return of('PLATFORM')
    .map((cell, at) => (cell === '-' || cell === partner[at] ? cell : `${cell}P`))
    .join('|');
}

const alwaysTwo = ({ fourEyes }: OperatorRule): boolean => fourEyes !== null && fourEyes.when === undefined;

describe.each(PATHS)('%s', (call, role) => {
  const [cells = '', ...others] = rowsOf(call);
  const [base = '', sometimes] = (NARROWER[call] ?? cells).split(' ');

  it('stands in one row of the matrix of channels 13, and is granted as it says', () => {
    expect([cells, ...others]).toEqual([expect.stringMatching(/\|/)]);
    expect(cellsOf(role.permission)).toBe(base);
  });

  it('takes two where the matrix says so', () => {
    expect(alwaysTwo(role)).toBe(base.includes('2'));
    const { fourEyes } = role;
    expect(fourEyes?.when !== undefined).toBe(sometimes !== undefined);
    if (sometimes !== undefined) expect(cellsOf(fourEyes?.permission ?? role.permission)).toBe(sometimes);
  });

  it('is asked for by those whom its kind of approval names', () => {
    const { fourEyes } = role;
    if (fourEyes === null) return;
    const [asks] = KINDS[fourEyes.kind];
    const twos = cellsOf(fourEyes.permission ?? role.permission).split('|');
    const asking = OPERATOR_ROLES.filter((_role, at) => twos[at]?.startsWith('2')).map((one) =>
      one.charAt(0),
    );
    expect(asking.join('')).toBe(asks.replace('p', ''));
  });
});

describe('a second pair of eyes', () => {
  it.each(Object.keys(APPROVAL_KINDS) as ApprovalKind[])('%s is approved by whom the table names', (kind) => {
    const [, approves] = KINDS[kind];
    for (const scope of OPERATOR_SCOPES) {
      const may = OPERATOR_ROLES.filter((role) => mayApprove(kind, { role, scope })).map((one) =>
        one.charAt(0),
      );
      const hidden = approves.startsWith('p') && scope === 'PARTNER';
      expect([scope, may.join('')]).toEqual([scope, hidden ? '' : approves.replace('p', '')]);
    }
  });
});
