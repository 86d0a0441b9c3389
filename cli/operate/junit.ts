interface Tested {
  readonly outcome: 'PASSED' | 'FAILED' | 'SKIPPED';
  readonly differences: readonly {
    readonly path: string;
    readonly expected: unknown;
    readonly got: unknown;
  }[];
  readonly error: string | null;
}

/** A played scenario, as far as a test report tells of it. */
export interface Played {
  readonly name: string;
  readonly ms: number;
  readonly steps: readonly (Tested & {
    readonly id: string | null;
    readonly word: string;
    readonly ms: number;
  })[];
  readonly finally: readonly (Tested & { readonly check: string })[];
}

/** JUnit XML: a suite per scenario, a case per step and last check. */
export function junitOf(reports: readonly Played[]): string {
  const suites = reports.map((report) => {
    const cases = [
      ...report.steps.map((step, at) => ({
        ...step,
        name: `${at + 1} ${step.word}${step.id === null ? '' : ` ${step.id}`}`,
      })),
      ...report.finally.map((check) => ({ ...check, name: `finally ${check.check}`, ms: 0 })),
    ];
    const count = (outcome: Tested['outcome']): number =>
      cases.filter((one) => one.outcome === outcome).length;
    return [
      `  <testsuite name="${escaped(report.name)}" tests="${cases.length}" failures="${count('FAILED')}"` +
        ` errors="0" skipped="${count('SKIPPED')}" time="${seconds(report.ms)}">`,
      ...cases.map((one) => caseOf(report.name, one)),
      '  </testsuite>',
    ].join('\n');
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

function caseOf(suite: string, one: Tested & { readonly name: string; readonly ms: number }): string {
  const head = `    <testcase classname="${escaped(suite)}" name="${escaped(one.name)}" time="${seconds(one.ms)}"`;
  if (one.outcome === 'PASSED') return `${head}/>`;
  if (one.outcome === 'SKIPPED') return `${head}><skipped/></testcase>`;
  const lines = one.differences.map(
    ({ path, expected, got }) => `${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`,
  );
  const said = [...(one.error === null ? [] : [one.error]), ...lines];
  return `${head}><failure message="${escaped(said[0] ?? 'failed')}">${escaped(said.join('\n'))}</failure></testcase>`;
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

/** Text for XML; characters that XML cannot hold become `?`. */
const escaped = (text: string): string =>
  text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
