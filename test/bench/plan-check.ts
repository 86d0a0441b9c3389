/** One node of a plan as `explain (format json, analyze)` gives it. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Loops'?: number;
  readonly Plans?: readonly PlanNode[];
}

export interface LoggedPlan {
  /** The statement with its blanks folded. */
  readonly text: string;
  readonly plan: PlanNode;
}

export interface BigTables {
  /** Tables and partitions with more rows than a scan may read. */
  readonly big: ReadonlySet<string>;
  /** Partitions that lie before everything a message can mean. */
  readonly old: ReadonlySet<string>;
}

/** The plans that auto_explain wrote into the server's log. */
export function readPlans(log: string): LoggedPlan[] {
  const plans: LoggedPlan[] = [];
  for (const [, block = ''] of log.matchAll(/plan:\n((?:\t.*\n)+)/g)) {
    const logged = JSON.parse(block.replaceAll(/^\t/gm, '')) as { 'Query Text': string; Plan: PlanNode };
    plans.push({ text: logged['Query Text'].replaceAll(/\s+/g, ' ').trim(), plan: logged.Plan });
  }
  return plans;
}

/** Nodes that did work: those that pruning left out at run time have no loops. */
function executed(node: PlanNode): PlanNode[] {
  if (node['Actual Loops'] === 0) return [];
  return [node, ...(node.Plans ?? []).flatMap(executed)];
}

/** What no hot statement may do, one line each; the same fault of the same statement once. */
export function faultsOf(plans: readonly LoggedPlan[], tables: BigTables): string[] {
  const faults = new Set<string>();
  for (const { text, plan } of plans) {
    for (const node of executed(plan)) {
      const table = node['Relation Name'];
      if (table === undefined) continue;
      const scan = /^(Parallel )?Seq Scan$/.test(node['Node Type']);
      if (scan && tables.big.has(table)) faults.add(`scans ${table} as a whole: ${text}`);
      if (tables.old.has(table)) faults.add(`enters ${table}: ${text}`);
    }
  }
  return [...faults];
}

/** One line a statement: how often it ran, which indexes it used, the most partitions it entered. */
export function summaryOf(plans: readonly LoggedPlan[], tables: BigTables): string[] {
  const byText = Map.groupBy(plans, (one) => one.text);
  return [...byText].map(([text, all]) => {
    const nodes = all.flatMap(({ plan }) => executed(plan));
    const used = new Set(
      nodes.map((node) => node['Index Name'] ?? scanned(node)).filter((one) => one !== null),
    );
    const partitions = Math.max(...all.map(({ plan }) => partitionsOf(executed(plan))));
    const big = nodes.some((node) => tables.big.has(node['Relation Name'] ?? ''));
    const entered = partitions > 0 ? `, at most ${partitions} partitions` : '';
    return `${String(all.length).padStart(5)} x  ${text.slice(0, 70)}\n         ${big ? '' : '(small tables) '}${[...used].toSorted().join(', ') || 'no table'}${entered}`;
  });
}

const scanned = (node: PlanNode): string | null =>
  node['Node Type'].endsWith('Seq Scan') ? `scan of ${node['Relation Name'] ?? '?'}` : null;

/** Most partitions of one table that a plan entered. */
function partitionsOf(nodes: readonly PlanNode[]): number {
  const months = new Map<string, Set<string>>();
  for (const node of nodes) {
    const [, table, month] = /^(.*)_([0-9]{4}_[0-9]{2})$/.exec(node['Relation Name'] ?? '') ?? [];
    if (table === undefined || month === undefined) continue;
    months.set(table, (months.get(table) ?? new Set()).add(month));
  }
  return Math.max(0, ...[...months.values()].map((one) => one.size));
}
