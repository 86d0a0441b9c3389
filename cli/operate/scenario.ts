import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { verifyLedger } from '../../db/verify-ledger.ts';
import type { CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { withDatabase } from './connection.ts';
import { junitOf } from './junit.ts';
import { onlyValue, readOptions } from './options.ts';
import { type AskProcessor, askProcessor } from './processor-call.ts';

const POLL_MS = 100;
const differenceSchema = z.object({ path: z.string(), expected: z.unknown(), got: z.unknown() });
const outcome = z.enum(['PASSED', 'FAILED', 'SKIPPED']);
const reportSchema = z.object({
  runId: z.string(),
  name: z.string(),
  seed: z.number(),
  state: z.enum(['QUEUED', 'RUNNING', 'PASSED', 'FAILED']),
  ms: z.number(),
  steps: z.array(
    z.object({
      id: z.string().nullable(),
      word: z.string(),
      outcome,
      sent: z.unknown(),
      got: z.unknown(),
      expected: z.unknown(),
      differences: z.array(differenceSchema),
      error: z.string().nullable(),
      ms: z.number(),
    }),
  ),
  finally: z.array(
    z.object({
      check: z.string(),
      outcome,
      got: z.unknown(),
      differences: z.array(differenceSchema),
      error: z.string().nullable(),
    }),
  ),
});

/** How a scenario went, as the simulator tells it. */
export type ScenarioReport = z.output<typeof reportSchema>;

export const isScenarioFile = (text: string): boolean => /\.ya?ml$/.test(text) && !text.startsWith('--');

/**
 * Plays scenario files one after the other on the running stack: 0 all passed, 1 an expectation failed, 2 a file
 * cannot be read or is no scenario (then nothing was played).
 */
export async function playScenarios(args: readonly string[], io: CommandIo): Promise<number> {
  const { given, values } = readOptions('simulate', args, ['seed', 'junit']);
  const seed = seedOf(onlyValue('simulate', 'seed', values.seed));
  const junit = onlyValue('simulate', 'junit', values.junit);
  const texts = given.map(readText);
  const ask = askProcessor(io);
  const names: string[] = [];
  for (const [at, text] of texts.entries()) names.push(await add(ask, given[at] ?? '', text));
  const reports: ScenarioReport[] = [];
  for (const name of names) {
    const report = await withLedgerChecked(await play(ask, name, seed), io);
    reports.push(report);
    if (!io.json) for (const line of linesOf(report)) io.out(line);
  }
  if (io.json) io.out(JSON.stringify(reports));
  if (junit !== null) writeFileSync(junit, junitOf(reports));
  return reports.every(({ state }) => state === 'PASSED') ? exitCode.ok : exitCode.failed;
}

function seedOf(text: string | null): number | null {
  if (text === null) return null;
  if (!/^[0-9]{1,15}$/.test(text)) throw wrongUsage('cardloom simulate: --seed must be a whole number');
  return Number(text);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailed(exitCode.badFile, `${file}: cannot be read`);
  }
}

/** Gives a file to the simulator; its name. Throws `CommandFailed` 2 with every fault of the file. */
async function add(ask: AskProcessor, file: string, text: string): Promise<string> {
  const { status, content } = await ask('POST', '/simulator/scenarios', text);
  if (status === 201) return String(content['name']);
  const faults = (content['errors'] ?? []) as readonly { field: string; message: string }[];
  const said = [content['title'], content['detail']].filter(Boolean).join(': ');
  const lines = faults.map(({ field, message }) => `${file}: ${field} ${message}`);
  const isFault = status === 400 || status === 413;
  throw new CommandFailed(
    isFault ? exitCode.badFile : exitCode.failed,
    lines.length > 0 ? lines.join('\n') : `${file}: ${said}`,
  );
}

async function play(ask: AskProcessor, name: string, seed: number | null): Promise<ScenarioReport> {
  const path = `/simulator/scenarios/${encodeURIComponent(name)}/runs`;
  const started = await ask('POST', path, seed === null ? {} : { seed });
  for (;;) {
    const { status, content } = await ask('GET', `/simulator/runs/${String(started.content['runId'])}`);
    if (status !== 200) throw new CommandFailed(exitCode.failed, `the run of ${name} was lost: ${status}`);
    const report = reportSchema.parse(content);
    if (report.state === 'PASSED' || report.state === 'FAILED') return report;
    await sleep(POLL_MS);
  }
}

/** The simulator cannot see the ledger; this command can, as `cardloom verify-ledger` does. */
async function withLedgerChecked(report: ScenarioReport, io: CommandIo): Promise<ScenarioReport> {
  if (!report.finally.some(({ check }) => check === 'ledgerZeroSum')) return report;
  const verdict = await withDatabase(io, 'engine', (db) => verifyLedger(db));
  const checks = report.finally.map((one) =>
    one.check !== 'ledgerZeroSum'
      ? one
      : {
          ...one,
          outcome: verdict.ok ? ('PASSED' as const) : ('FAILED' as const),
          error: null,
          differences: verdict.differences.map(({ invariant, subject, expected, found }) => ({
            path: `${invariant} ${subject}`,
            expected,
            got: found,
          })),
        },
  );
  return { ...report, finally: checks, state: verdict.ok ? report.state : 'FAILED' };
}

function* linesOf(report: ScenarioReport): Generator<string> {
  yield `${report.state} ${report.name} (seed ${report.seed}, ${report.ms} ms)`;
  for (const [at, step] of report.steps.entries()) {
    const named = step.id === null ? step.word : `${step.word} ${step.id}`;
    yield `  ${String(at + 1).padStart(2)}  ${step.outcome.padEnd(7)} ${named}  ${step.ms} ms`;
    yield* differencesOf(step);
    if (step.outcome === 'FAILED' && step.got !== null) yield `          got ${shortened(step.got)}`;
  }
  for (const check of report.finally) {
    yield `      ${check.outcome.padEnd(7)} finally ${check.check}`;
    yield* differencesOf(check);
  }
}

const LONGEST = 600;

function shortened(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} ...` : text;
}

function* differencesOf(
  one: Pick<ScenarioReport['steps'][number], 'differences' | 'error'>,
): Generator<string> {
  if (one.error !== null) yield `          ${one.error}`;
  for (const { path, expected, got } of one.differences) {
    yield `          ${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`;
  }
}
