import type { Action, ScenarioEvent } from './scenario-messages.ts';

/** Books that a scenario moves: the pure functions alone, or the lanes on a database. */
export interface ScenarioWorld {
  /** Plays one event; answers all words that may be said of it. */
  play(event: ScenarioEvent): Promise<readonly string[]> | readonly string[];
  /** Does one thing of the network or the clock; answers the words that `play` answers. */
  act(action: Action): Promise<readonly string[]> | readonly string[];
  values(): Promise<ScenarioValues> | ScenarioValues;
}

export interface ScenarioValues {
  readonly held: number;
  readonly posted: number;
  /** Null in programmes without a deposit. */
  readonly deposit: number | null;
  readonly company: number;
}

/** What the first line of a scenario asks for. */
export interface ScenarioHead {
  readonly kind: 'A' | 'B';
  readonly posted: number;
  readonly deposit: number;
  readonly partial: boolean;
  readonly daily: number | null;
}

const COLUMNS = ['available', 'held', 'posted', 'deposit', 'company'] as const;

export function headOf(text: string): ScenarioHead {
  const [head = ''] = text.trim().split('\n');
  const number = (pattern: RegExp): number | null => {
    const found = pattern.exec(head)?.[1];
    return found === undefined ? null : Number(found);
  };
  return {
    kind: / B\b/.test(head) ? 'B' : 'A',
    posted: number(/ U (\d+)/) ?? 100_000,
    deposit: number(/ deposit (\d+)/) ?? 500_000,
    partial: / partial\b/.test(head),
    daily: number(/ daily (\d+)/),
  };
}

/** Plays a scenario; answers one line a row with what was expected and what was found, equal when it holds. */
export async function runScenario(
  text: string,
  world: ScenarioWorld,
): Promise<{ readonly expected: string[]; readonly found: string[] }> {
  const expected: string[] = [];
  const found: string[] = [];
  for (const line of text.trim().split('\n').slice(1)) {
    const [name = '', amount = '0', ...wanted] = line.split('|').map((cell) => cell.trim());
    const of = / of (\d+)$/.exec(name)?.[1];
    const event = { name: name.replace(/ of \d+$/, ''), amount: Number(amount), of: of ? Number(of) : null };
    const words = await world.play(event);
    const { posted, held, deposit, company } = await world.values();
    const values = [posted - held, held, posted, deposit ?? '-', company];
    const told = (wanted[COLUMNS.length] ?? '').split(',').map((word) => word.trim());
    const seen = told.map((word) => (words.includes(word) ? word : words.join(' ')));
    expected.push([name, ...wanted.slice(0, COLUMNS.length), ...told].join(' | '));
    found.push([name, ...values, ...seen].join(' | '));
  }
  return { expected, found };
}
