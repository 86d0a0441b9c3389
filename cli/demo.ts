import { createInterface } from 'node:readline/promises';
import type { Command, CommandIo } from './command.ts';
import { Difference } from './demo/difference.ts';
import { createOperators } from './demo/operator-client.ts';
import { readDemoOptions } from './demo/options.ts';
import { useStack } from './demo/stack-in-use.ts';
import { lineOf, type StepNumber, type StepReport, stepRunner } from './demo/step.ts';
import { prove } from './demo/prove.ts';
import { corporateStory, mainStory } from './demo/story.ts';
import { patientTrace } from './demo/trace.ts';
import { createWorld } from './demo/world.ts';
import { exitCode } from './exit-code.ts';

/** `cardloom demo`: the story of operations 2, told over the wire against the running stack or one of its own. */
export const demoCommand: Command = {
  name: 'demo',
  usage: '[--only main,corporate] [--pause]',
  summary: 'a customer and a company from registration to a purchase, step by step over the real wire',
  async run(args, io) {
    const { only, pause } = readDemoOptions(args);
    const stack = await useStack(io);
    const trace = patientTrace(io);
    const world = createWorld(stack.quickstart, trace.read);
    const operators = createOperators(stack.quickstart, io);
    const steps: StepReport[] = [];
    const tell = (report: StepReport) => {
      steps.push(report);
      if (!io.json) io.out(lineOf(report));
    };
    const startedMs = performance.now();
    try {
      const run = stepRunner(tell, pause ? untilEnter : async () => undefined);
      const facts = {
        ...(only.includes('main') ? await mainStory(world, run) : {}),
        ...(only.includes('corporate') ? await corporateStory(world, run, operators) : {}),
      };
      await run(20, () => prove(io));
      const milliseconds = Math.round(performance.now() - startedMs);
      if (io.json) io.out(JSON.stringify({ ok: true, milliseconds, steps, facts }));
      else io.out(`${steps.length} steps as expected (${(milliseconds / 1_000).toFixed(1)} s)`);
      return exitCode.ok;
    } catch (error) {
      if (!(error instanceof Difference)) throw error;
      reportDifference(io, steps, error);
      return exitCode.failed;
    } finally {
      await world.close();
      await operators.close();
      await trace.close();
      await stack.release();
    }
  },
};

function reportDifference(io: CommandIo, steps: readonly StepReport[], difference: Difference): void {
  // The one that differs has no report of its own: it is the one after the last that has.
  const step = `after ${steps.at(-1)?.number ?? 0}`;
  const { message: what, expected, got } = difference;
  if (io.json) {
    io.out(JSON.stringify({ ok: false, steps, difference: { step, what, expected, got } }));
    return;
  }
  io.out(`${step}: differs: ${what}`);
  io.out(`      expected ${expected}`);
  io.out(`      got      ${got}`);
}

async function untilEnter(step: StepNumber): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  await terminal.question(`Enter for step ${step} `);
  terminal.close();
}
