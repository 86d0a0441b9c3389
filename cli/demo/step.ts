/** What a step of the story has seen. `facts` is handed on to later steps. */
export interface Seen<Facts> {
  /** One line for a person. */
  readonly happened: string;
  readonly figures: Readonly<Record<string, string | number>>;
  /** The Temporal run, where there is one. */
  readonly link?: string;
  readonly facts: Facts;
}

/** A step of operations 2; one with a letter comes after that of its number. */
export type StepNumber = number | `${number}${'a' | 'b' | 'c'}`;

/** A finished step, as the demo prints it. */
export interface StepReport {
  readonly number: StepNumber;
  readonly happened: string;
  readonly figures: Readonly<Record<string, string | number>>;
  readonly milliseconds: number;
  readonly link: string | null;
}

/** Runs one step, tells about it and gives its facts. */
export type RunStep = <Facts>(number: StepNumber, step: () => Promise<Seen<Facts>>) => Promise<Facts>;

/** A `RunStep` that measures each step; `before` may hold the story up. */
export function stepRunner(
  tell: (report: StepReport) => void,
  before: (number: StepNumber) => Promise<void>,
): RunStep {
  return async (number, step) => {
    await before(number);
    const startedMs = performance.now();
    const { happened, figures, link, facts } = await step();
    const milliseconds = Math.round(performance.now() - startedMs);
    tell({ number, happened, figures, milliseconds, link: link ?? null });
    return facts;
  };
}

/** One line: number, what happened, figures, milliseconds, link. */
export function lineOf(report: StepReport): string {
  const figures = Object.entries(report.figures).map(([name, value]) => `${name} ${value}`);
  const columns = [
    String(report.number).padStart(2),
    report.happened.padEnd(37),
    figures.join(', ').padEnd(66),
    `${report.milliseconds} ms`.padStart(9),
    report.link ?? '',
  ];
  return columns.join('  ').trimEnd();
}
