import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { FieldError } from '../errors.ts';
import { durationMs } from './duration.ts';
import { referencedIds } from './references.ts';
import { isStepWord, STEP_WORDS } from './words.ts';

const MAX_BYTES = 64 * 1024;
const members = z.record(z.string(), z.unknown());
const duration = z
  .string()
  .refine((text) => durationMs(text) !== null, 'must be a duration like 500ms, 5s or 2m')
  .transform((text) => durationMs(text) ?? 0);

const setup = z.strictObject({
  user: z.strictObject({ kyc: z.string().min(1).max(32).default('SUCCESS') }).default({ kyc: 'SUCCESS' }),
  balance: z
    .strictObject({
      currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'),
      topUp: z.int().min(0).default(0),
    })
    .default({ currency: 'EUR', topUp: 0 }),
  card: z.strictObject({ configId: z.string().min(1).max(64) }),
});

const counts = z.array(
  z.strictObject({
    path: z.string().regex(/^\/[a-zA-Z-]+(\/[a-zA-Z-]+)*$/, 'must be a path'),
    min: z.int().min(0).default(1),
    max: z.int().min(0).optional(),
  }),
);

const lastChecks = z.strictObject({
  ledgerZeroSum: z.literal(true).optional(),
  openFaults: z.int().min(0).optional(),
  balance: members.optional(),
  notifications: counts.optional(),
  partnerCalls: counts.optional(),
});

const header = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be lower-case letters, digits and -'),
  seed: z.int().min(0).optional(),
  setup: setup.optional(),
  steps: z.array(members).min(1).max(1_000),
  finally: lastChecks.optional(),
});

export type Setup = z.output<typeof setup>;
export type LastChecks = z.output<typeof lastChecks>;
export type Count = z.output<typeof counts>[number];

/** One step: a word with its arguments, and what must hold afterwards. */
export interface Step {
  readonly id: string | null;
  readonly word: string;
  readonly input: unknown;
  /** Steps of `parallel`. */
  readonly steps: readonly Step[];
  readonly expect: Readonly<Record<string, unknown>>;
  readonly withinMs: number;
  readonly times: number;
}

/** A scenario as its file says. */
export interface Scenario {
  readonly name: string;
  readonly seed: number | null;
  readonly setup: Setup | null;
  readonly steps: readonly Step[];
  readonly last: LastChecks;
}

export type ScenarioOutcome = { readonly scenario: Scenario } | { readonly faults: readonly FieldError[] };

/** Reads a scenario file (YAML, spec 6.5); everything that is wrong comes back together. */
export function readScenario(text: string): ScenarioOutcome {
  if (Buffer.byteLength(text) > MAX_BYTES) return fault('file', 'is larger than 64 kB');
  const document = parseDocument(text);
  const [broken] = document.errors;
  if (broken !== undefined) return fault('file', `is not YAML: ${broken.message.split('\n')[0] ?? ''}`);
  let content: unknown;
  try {
    // Aliases could blow a small file up; a scenario needs none.
    content = document.toJS({ maxAliasCount: 0 });
  } catch {
    return fault('file', 'must not use aliases');
  }
  const parsed = header.safeParse(content);
  const faults = (parsed.error?.issues ?? []).flatMap((issue) => fieldErrors(issue, []));
  const { setup: prepared, steps: listed } = (content ?? {}) as { setup?: unknown; steps?: unknown };
  const known = new Set(prepared === undefined ? [] : ['user', 'balance', 'card']);
  const raws = z.array(members).safeParse(listed).data ?? [];
  const steps = raws.map((raw, at) => readStep(raw, `steps[${at}]`, known, faults));
  if (faults.length > 0 || !parsed.success) return { faults };
  const { name, seed = null, finally: last = {} } = parsed.data;
  return { scenario: { name, seed, setup: parsed.data.setup ?? null, steps, last } };
}

const common = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, 'must be letters, digits and _')
    .nullable()
    .default(null),
  expect: members.default({}),
  within: duration.default(0),
  repeat: z.int().min(1).max(1_000).default(1),
});

/** One step; ids that later steps may refer to are put into `known`. */
function readStep(
  raw: Record<string, unknown>,
  path: string,
  known: Set<string>,
  faults: FieldError[],
): Step {
  // `repeat` is a word when it says which trace, and a number of times beside another word.
  const words = Object.keys(raw).filter(
    (name) => isStepWord(name) && !(name === 'repeat' && typeof raw[name] === 'number'),
  );
  const [word = ''] = words;
  if (words.length !== 1) {
    faults.push({ field: path, message: `must have exactly one of ${STEP_WORDS.join(', ')}` });
  }
  const others = Object.fromEntries(Object.entries(raw).filter(([name]) => name !== word));
  const shared = common.safeParse(others);
  if (!shared.success) faults.push(...shared.error.issues.flatMap((issue) => fieldErrors(issue, [path])));
  const { id = null, expect = {}, within = 0, repeat = 1 } = shared.data ?? {};
  // What is expected may refer to the step itself, what is sent cannot.
  const sent = word === 'parallel' ? [] : referencedIds(raw[word] ?? null);
  const expected = referencedIds(expect).filter((reference) => reference !== id);
  for (const reference of [...sent, ...expected]) {
    if (known.has(reference)) continue;
    faults.push({ field: path, message: `refers to ${reference}, which no earlier step is called` });
  }
  const inner = word === 'parallel' ? readParallel(raw[word], path, known, faults) : [];
  if (word === 'wait' && durationMs(String(raw[word])) === null) {
    faults.push({ field: `${path}.wait`, message: 'must be a duration like 500ms, 5s or 2m' });
  } else if (word !== 'wait' && word !== 'parallel' && !isArguments(raw[word]) && words.length === 1) {
    faults.push({ field: `${path}.${word}`, message: 'must be an object' });
  }
  if (Object.hasOwn(expect, 'ledger')) {
    faults.push({ field: `${path}.expect.ledger`, message: 'is checked once, in finally: ledgerZeroSum' });
  }
  if (id !== null) known.add(id);
  return { id, word, input: raw[word] ?? {}, steps: inner, expect, withinMs: within, times: repeat };
}

function readParallel(input: unknown, path: string, known: Set<string>, faults: FieldError[]): Step[] {
  const list = z.array(members).min(1).max(100).safeParse(input);
  if (!list.success) {
    faults.push({ field: `${path}.parallel`, message: 'must be a list of steps' });
    return [];
  }
  // Steps at the same time cannot refer to each other.
  const before = new Set(known);
  return list.data.map((raw, at) => {
    const own = new Set(before);
    const step = readStep(raw, `${path}.parallel[${at}]`, own, faults);
    own.forEach((id) => known.add(id));
    return step;
  });
}

const isArguments = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && !Array.isArray(value));

const fault = (field: string, message: string): ScenarioOutcome => ({ faults: [{ field, message }] });

function fieldErrors(issue: z.core.$ZodIssue, before: readonly string[]): FieldError[] {
  const path = [...before, ...issue.path.map(String)];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: [...path, key].join('.'), message: 'is not known' }));
  }
  return [{ field: path.join('.') || 'file', message: issue.message }];
}
