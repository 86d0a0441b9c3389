import { rulesOfMode, type Mode } from './modes.ts';
import { createRandom } from './random.ts';
import { matches, type Facts, type Rule } from './rules.ts';

export interface ChosenRule {
  readonly rule: Rule;
  readonly fromMode: boolean;
}

/** How the simulator answers at the moment: the user's rules above the rules of the mode. */
export interface Behaviour {
  mode(): Mode;
  setMode(mode: Mode): void;
  rules(): readonly (Rule & { readonly fired: number })[];
  setRules(rules: readonly Rule[]): void;
  /** Adds a rule below the others; one of the same name is replaced where it stands. */
  addRule(rule: Rule): void;
  removeRule(name: string): boolean;
  /** The first rule that matches, is enabled, has firings left and passes its probability. Counts the firing. */
  choose(facts: Facts): ChosenRule | null;
  random(): number;
  /** Aborts at the next change of the mode. */
  modeChanged(): AbortSignal;
  /** Aborts when everything starts anew, or ends. */
  ended(): AbortSignal;
  /** Back to the mode of the start, without rules, with the seed of the start. */
  reset(): void;
  end(): void;
}

/** Behaviour that begins with `startMode` and draws by `seed`. */
export function createBehaviour(startMode: Mode, seed: number): Behaviour {
  let mode = startMode;
  let modeRules = rulesOfMode(mode);
  let rules: readonly Rule[] = [];
  let random = createRandom(seed);
  let modeChange = new AbortController();
  let lifetime = new AbortController();
  const fired = new Map<string, number>();

  const firedOf = (rule: Rule): number => fired.get(rule.name) ?? 0;
  const hasChance = (rule: Rule): boolean => rule.probability >= 1 || random() < rule.probability;

  function setMode(next: Mode): void {
    mode = next;
    modeRules = rulesOfMode(next);
    const previous = modeChange;
    modeChange = new AbortController();
    previous.abort();
  }
  function setRules(next: readonly Rule[]): void {
    rules = next;
    fired.clear();
  }

  return {
    mode: () => mode,
    setMode,
    rules: () => rules.map((rule) => ({ ...rule, fired: firedOf(rule) })),
    setRules,
    addRule(rule) {
      const replaces = rules.some((one) => one.name === rule.name);
      rules = replaces ? rules.map((one) => (one.name === rule.name ? rule : one)) : [...rules, rule];
      fired.delete(rule.name);
    },
    removeRule(name) {
      const before = rules.length;
      rules = rules.filter((one) => one.name !== name);
      fired.delete(name);
      return rules.length < before;
    },
    choose(facts) {
      const own = rules.find(
        (rule) =>
          rule.enabled &&
          (rule.times === null || firedOf(rule) < rule.times) &&
          matches(rule, facts) &&
          hasChance(rule),
      );
      if (own !== undefined) {
        fired.set(own.name, firedOf(own) + 1);
        return { rule: own, fromMode: false };
      }
      const ofMode = modeRules.find((rule) => matches(rule, facts));
      return ofMode === undefined ? null : { rule: ofMode, fromMode: true };
    },
    random: () => random(),
    modeChanged: () => modeChange.signal,
    ended: () => lifetime.signal,
    reset() {
      const previous = lifetime;
      lifetime = new AbortController();
      previous.abort();
      random = createRandom(seed);
      setRules([]);
      setMode(startMode);
    },
    end: () => lifetime.abort(),
  };
}
