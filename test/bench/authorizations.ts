import { execFileSync } from 'node:child_process';
import pg from 'pg';
import { createDatabase, createPool } from '../../db/client.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { type Product, startProduct } from '../support/product.ts';
import { type LoadJob, type LoadResult, perSecond } from './load/job.ts';
import { type LoadGenerator, startLoadGenerator } from './load/run-load.ts';
import { type NaiveBaseline, openNaiveBaseline } from './naive.ts';
import { type BenchOptions, readBenchOptions } from './options.ts';
import { type Part, type ProcessorTime, readProcessorTime } from './processor-time.ts';
import { type Figures, jsonOf, tableOf } from './report.ts';
import { seedCards, seedProgrammes, settle } from './seed.ts';
import { median } from './statistics.ts';
import { openTpcB } from './tpc-b.ts';

const SPREAD = 64;
const AMOUNT = 1_00;
const HOT_CARDS = 100;
/** Enough for an open loop at 500/s with room for a stall. */
const OPEN_LOOP_CONNECTIONS = 64;
const GROWTH_ROUNDS = 2;
const WARM_UP_SECONDS = 6;

/** Everything that one run works with. */
interface Bench {
  readonly options: BenchOptions;
  readonly product: Product;
  readonly generator: LoadGenerator;
  readonly owner: ReturnType<typeof createDatabase>;
  readonly admin: pg.Client;
  readonly naive: NaiveBaseline;
  readonly tpcB: Awaited<ReturnType<typeof openTpcB>>;
  /** Everything that was answered so far. */
  readonly answered: { approved: number; broken: number };
  readonly say: (line: string) => void;
}

/** A reference: how often a second, and the processor time of one, all its processes together. */
interface Reference {
  readonly rate: number;
  readonly microseconds: number | null;
}

interface Round {
  readonly tpcB: Reference | null;
  readonly naive: Reference;
  readonly one: ReadonlyMap<number, Measured>;
  readonly spread: Measured;
  readonly hot: Measured;
}

interface Measured {
  readonly rate: number;
  readonly result: LoadResult;
  readonly microseconds: Readonly<Record<Part, number>> | null;
}

/**
 * `npm run bench authorizations`: P1 to P5 of goals.md over the certificate listener, as ratios of one run. Every
 * kind of load is measured in short slices, one after the other and again, so that what else the machine does hits
 * all of them alike. Prints a table and a JSON line; fails only when the ledger does not prove right.
 */
export async function benchAuthorizations(
  args: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  const options = readBenchOptions(args);
  const startedAt = performance.now();
  const product = await startProduct({ apis: options.apis, environment: { LOG_LEVEL: 'info' } });
  try {
    const bench = await prepare(product, options, say);
    try {
      const figures = await measure(bench);
      for (const line of tableOf(figures, options)) say(line);
      say(
        `${Math.round((performance.now() - startedAt) / 1_000)} s, ${execFileSync('uname', ['-sm'], { encoding: 'utf8' }).trim()}`,
      );
      say(jsonOf(figures));
    } finally {
      bench.generator.stop();
      await Promise.all([bench.owner.destroy(), bench.admin.end(), bench.naive.end()]);
    }
  } finally {
    await product.stop();
  }
}

const inDatabase = (url: string, name: string): string => {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
};

async function prepare(product: Product, options: BenchOptions, say: (line: string) => void): Promise<Bench> {
  const { superuser } = product.urls;
  const admin = new pg.Client({ connectionString: inDatabase(superuser, 'cardloom') });
  await admin.connect();
  await admin.query('create database naive');
  await admin.query('create database tpcb');
  const owner = createDatabase(createPool({ url: inDatabase(superuser, 'cardloom'), max: 2, name: 'bench' }));
  const programmes = await seedProgrammes(owner, SPREAD + 1);
  const [first, ...others] = programmes;
  if (first === undefined) throw new Error('no programme was made');
  const base = { cards: options.cards, cardsPerBalance: 1, topUps: 1 };
  await seedCards(owner, { ...base, programmes: [first], prefix: 'one-' });
  await seedCards(owner, { ...base, programmes: others, prefix: 'spread-' });
  await seedCards(owner, {
    ...base,
    programmes: [first],
    prefix: 'hot-',
    cards: HOT_CARDS,
    cardsPerBalance: HOT_CARDS,
  });
  const naive = await openNaiveBaseline(inDatabase(superuser, 'naive'), options.cards);
  const tpcB = await openTpcB(inDatabase(superuser, 'tpcb'));
  await settle(admin);
  say(`seeded: ${2 * options.cards + HOT_CARDS} cards with limits, ${SPREAD + 1} deposit-funded programmes`);
  const answered = { approved: 0, broken: 0 };
  return { options, product, generator: startLoadGenerator(), owner, admin, naive, tpcB, answered, say };
}

async function measure(bench: Bench): Promise<Figures> {
  const { options } = bench;
  const connections = options.connections[0] ?? SPREAD;
  // The first answers of a process are slow: its code is not compiled yet, its statements not prepared.
  await load(bench, { connections, seconds: WARM_UP_SECONDS, prefix: 'one-' });
  const rounds: Round[] = [];
  for (let at = 1; at <= options.rounds; at += 1) {
    rounds.push(await measureRound(bench, connections));
    bench.say(
      `round ${at} of ${options.rounds}: ${Math.round(rounds.at(-1)?.one.get(connections)?.rate ?? 0)}/s`,
    );
  }
  const openLoop = await load(bench, {
    connections: OPEN_LOOP_CONNECTIONS,
    seconds: options.openLoop.seconds,
    prefix: 'one-',
    rate: options.openLoop.rate,
  });
  const verified = await verify(bench);
  const growth = await measureGrowth(bench, connections, rounds);
  return { ...summary(bench, rounds, connections), openLoop: openLoop.result, growth, verified };
}

async function measureRound(bench: Bench, connections: number): Promise<Round> {
  const { seconds } = bench.options;
  const { tpcB: pgbench } = bench;
  const tpcB = pgbench === null ? null : await measureReference(bench, seconds, () => pgbench.run(seconds));
  const naive = await measureReference(bench, seconds, () => bench.naive.run(connections, seconds));
  const one = new Map<number, Measured>();
  for (const count of bench.options.connections) {
    one.set(count, await load(bench, { connections: count, seconds, prefix: 'one-' }));
  }
  const spread = await load(bench, { connections, seconds, prefix: 'spread-' });
  const hot = await load(bench, { connections, seconds, prefix: 'hot-', count: HOT_CARDS });
  return { tpcB, naive, one, spread, hot };
}

/** Both references run in this process or as its children, against the same server. */
async function measureReference(
  bench: Bench,
  seconds: number,
  run: () => Promise<number>,
): Promise<Reference> {
  const time = (): ProcessorTime | null =>
    readProcessorTime({ api: [], database: [bench.product.postmasterPid() ?? 0], generator: [process.pid] });
  const otherChildren = (): number => {
    const others = processorTime(bench);
    return others === null ? 0 : others.api + others.generator;
  };
  const [before, othersBefore] = [time(), otherChildren()];
  const rate = await run();
  const [after, othersAfter] = [time(), otherChildren()];
  if (before === null || after === null) return { rate, microseconds: null };
  const used =
    after.database - before.database + after.generator - before.generator - (othersAfter - othersBefore);
  return { rate, microseconds: Math.round((used * 1e6) / (rate * seconds)) };
}

interface Load {
  readonly connections: number;
  readonly seconds: number;
  readonly prefix: string;
  readonly count?: number;
  readonly rate?: number;
}

async function load(bench: Bench, asked: Load): Promise<Measured> {
  const { product, generator, options, answered } = bench;
  const { certificate, key } = product.certificates.of.processor;
  const job: LoadJob = {
    ports: product.ports,
    certificateFile: certificate,
    keyFile: key,
    caFile: product.certificates.ca,
    connections: asked.connections,
    seconds: asked.seconds,
    cards: { prefix: asked.prefix, count: asked.count ?? options.cards },
    amount: AMOUNT,
    rate: asked.rate ?? null,
  };
  let before: ProcessorTime | null = null;
  const result = await generator.run(job, () => (before = processorTime(bench)));
  const after = processorTime(bench);
  answered.approved += result.approved;
  answered.broken += result.broken + Object.values(result.refused).reduce((sum, one) => sum + one, 0);
  return { rate: perSecond(result), result, microseconds: perAnswer(before, after, result) };
}

const processorTime = ({ product, generator }: Bench): ProcessorTime | null =>
  readProcessorTime({
    api: product.apis.map((api) => api.pid() ?? 0),
    database: [product.postmasterPid() ?? 0],
    generator: [generator.pid],
  });

function perAnswer(
  before: ProcessorTime | null,
  after: ProcessorTime | null,
  result: LoadResult,
): Record<Part, number> | null {
  if (before === null || after === null) return null;
  const each = (part: Part): number =>
    Math.round(((after[part] - before[part]) * 1e6) / (result.approved + result.declined));
  return { api: each('api'), database: each('database'), generator: each('generator') };
}

function summary(bench: Bench, rounds: readonly Round[], connections: number) {
  const ratio = (of: (round: Round) => number | null): number | null => {
    const values = rounds.map(of).filter((one) => one !== null);
    return values.length === 0 ? null : median(values);
  };
  const rateOf = (round: Round, count: number): number => round.one.get(count)?.rate ?? Number.NaN;
  return {
    tpcB: referenceOf(rounds.map((round) => round.tpcB)),
    naive: referenceOf(rounds.map((round) => round.naive)),
    p1: bench.options.connections.map((count) => ({
      connections: count,
      rate: median(rounds.map((round) => rateOf(round, count))),
      toTpcB: ratio((round) => (round.tpcB === null ? null : rateOf(round, count) / round.tpcB.rate)),
      toNaive: ratio((round) => rateOf(round, count) / round.naive.rate) ?? Number.NaN,
      p50: median(rounds.map((round) => round.one.get(count)?.result.latencyMs.p50 ?? Number.NaN)),
      p99: median(rounds.map((round) => round.one.get(count)?.result.latencyMs.p99 ?? Number.NaN)),
      microseconds: rounds.at(-1)?.one.get(count)?.microseconds ?? null,
      toTpcBByProcessor: ratio((round) => byProcessor(round.tpcB, round.one.get(count))),
      toNaiveByProcessor: ratio((round) => byProcessor(round.naive, round.one.get(count))),
    })),
    p2: {
      rate: median(rounds.map((round) => round.spread.rate)),
      ratio: ratio((round) => rateOf(round, connections) / round.spread.rate) ?? Number.NaN,
    },
    p3: {
      rate: median(rounds.map((round) => round.hot.rate)),
      ratio: ratio((round) => round.hot.rate / rateOf(round, connections)) ?? Number.NaN,
    },
  };
}

/** The medians of a reference; null when it was left out. */
function referenceOf(measured: readonly (Reference | null)[]): Reference | null {
  const all = measured.filter((one) => one !== null);
  if (all.length === 0) return null;
  const times = all.map((one) => one.microseconds).filter((one) => one !== null);
  return {
    rate: median(all.map((one) => one.rate)),
    microseconds: times.length === 0 ? null : median(times),
  };
}

/** What the ratio of rates would be if nothing but processor time counted; busy neighbours hardly change it. */
function byProcessor(reference: Reference | null, measured: Measured | undefined): number | null {
  const own = measured?.microseconds ?? null;
  if (own === null || reference === null || reference.microseconds === null) return null;
  return reference.microseconds / (own.api + own.database + own.generator);
}

/** P5: the same load with many more cards and transactions present, each beside the reference of its own time. */
async function measureGrowth(
  bench: Bench,
  connections: number,
  rounds: readonly Round[],
): Promise<Figures['growth']> {
  const { options, owner, admin, naive, tpcB } = bench;
  const programmes = await seedProgrammes(owner, SPREAD);
  await seedCards(owner, { ...options.growth, programmes, prefix: 'more-' });
  await settle(admin);
  const before = rounds.map(
    (round) => (round.one.get(connections)?.rate ?? Number.NaN) / (round.tpcB ?? round.naive).rate,
  );
  const after: number[] = [];
  for (let at = 1; at <= GROWTH_ROUNDS; at += 1) {
    const reference = (await tpcB?.run(options.seconds)) ?? (await naive.run(connections, options.seconds));
    const seconds = options.seconds;
    const measured = await load(bench, {
      connections,
      seconds,
      prefix: 'more-',
      count: options.growth.cards,
    });
    after.push(measured.rate / reference);
  }
  const { rows } = await admin.query<{ cards: number; transactions: number }>(
    'select (select count(*) from card_states)::int as cards, (select count(*) from transactions)::int as transactions',
  );
  const present = rows[0] ?? { cards: 0, transactions: 0 };
  return { ...present, ratio: median(after) / median(before) };
}

/** The ledger proves itself, and every answered approval has its row. */
async function verify(bench: Bench): Promise<Figures['verified']> {
  const verdict = await verifyLedger(bench.owner);
  const { rows } = await bench.admin.query<{ approvals: number }>(
    "select count(*)::int as approvals from transactions where type = 'pos' and result = 'APPROVED'",
  );
  const approvals = rows[0]?.approvals ?? 0;
  const { approved, broken } = bench.answered;
  const verified = { ledgerOk: verdict.ok, approvals, approved, broken };
  if (!verdict.ok || approvals < approved || approvals > approved + broken) {
    throw new Error(
      `the ledger is wrong: ${JSON.stringify({ ...verified, differences: verdict.differences })}`,
    );
  }
  return verified;
}
