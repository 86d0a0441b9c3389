import type { Command, CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { type CallProcessor, callProcessor } from './processor-call.ts';
import { isScenarioFile, playScenarios } from './scenario.ts';

const USAGE =
  'purchase --card last|CARD_ID --amount 12.34 [--currency EUR] [--merchant NAME] | ' +
  'clear TRACE_ID [--amount 12.34] | reverse TRACE_ID [--amount 12.34] | ' +
  'FILE.yaml... [--seed 7] [--junit out.xml]';

/** `cardloom simulate`: card traffic through the processor simulator (processor 6.2), or scenario files (6.5). */
export const simulateCommand: Command = {
  name: 'simulate',
  usage: USAGE,
  summary: 'pay with a card, clear or reverse, as the card network would; or play scenario files',
  async run(args, io) {
    if (args.some(isScenarioFile)) return await playScenarios(args, io);
    const [what, ...rest] = args;
    const call = callProcessor(io);
    switch (what) {
      case 'purchase':
        return await purchase(readOptions(rest, ['card', 'amount', 'currency', 'merchant']), call, io);
      case 'clear':
      case 'reverse':
        return await later(what, rest, call, io);
      default:
        throw wrongUsage(
          what === undefined ? 'cardloom simulate: say what' : `cardloom simulate: no ${what}`,
        );
    }
  },
};

async function purchase(options: Options, call: CallProcessor, io: CommandIo): Promise<number> {
  const amount = amountOf(options);
  if (amount === null) throw wrongUsage('cardloom simulate purchase: --amount is missing');
  const card = options['card'] ?? 'last';
  const answer = await call('POST', '/simulator/authorizations', {
    ...(card === 'last' ? await newestCard(call) : namedCard(card)),
    amount,
    currency: options['currency'] ?? 'EUR',
    ...(options['merchant'] === undefined ? {} : { merchant: options['merchant'] }),
  });
  report(answer, io);
  if (!io.json) io.out(`  clear it:   npx cardloom simulate clear ${String(answer['traceId'])}`);
  if (!io.json) io.out(`  reverse it: npx cardloom simulate reverse ${String(answer['traceId'])}`);
  return exitCode.ok;
}

async function later(
  what: 'clear' | 'reverse',
  args: readonly string[],
  call: CallProcessor,
  io: CommandIo,
): Promise<number> {
  const [trace, ...rest] = args;
  if (trace === undefined || trace.startsWith('--'))
    throw wrongUsage(`cardloom simulate ${what}: which trace?`);
  const amount = amountOf(readOptions(rest, ['amount']));
  const path = `/simulator/authorizations/${encodeURIComponent(trace)}/${what}`;
  report(await call('POST', path, amount === null ? {} : { amount }), io);
  return exitCode.ok;
}

/** The newest card that the simulator made, in the member by which its calls name a card. */
async function newestCard(call: CallProcessor): Promise<object> {
  const { items } = await call('GET', '/simulator/cards');
  const newest = (items as Record<string, unknown>[] | undefined)?.[0];
  if (newest === undefined) {
    throw new CommandFailed(
      exitCode.failed,
      'there is no card yet. `npm run demo` makes one; or order a virtual card: see "Quick start" in README.md',
    );
  }
  return { processorCardId: newest['processorCardId'] };
}

/** A card id of ours is a number; the processor's own is not. */
const namedCard = (card: string): object =>
  /^[0-9]+$/.test(card) ? { cardId: Number(card) } : { processorCardId: card };

function report(answer: Record<string, unknown>, io: CommandIo): void {
  if (io.json) {
    io.out(JSON.stringify(answer));
    return;
  }
  const response = (answer['response'] ?? {}) as Record<string, unknown>;
  const facts = Object.entries(response).filter(([, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value),
  );
  io.out(`trace ${String(answer['traceId'])}, ${String(answer['latencyMs'])} ms`);
  for (const [name, value] of facts) io.out(`  ${name}: ${String(value)}`);
}

type Options = Readonly<Record<string, string | undefined>>;

/** `--name value` pairs of the known names. */
function readOptions(args: readonly string[], names: readonly string[]): Options {
  const options: Record<string, string> = {};
  for (let at = 0; at < args.length; at += 2) {
    const name = args[at]?.replace(/^--/, '') ?? '';
    const value = args[at + 1];
    if (!args[at]?.startsWith('--') || !names.includes(name) || value === undefined) {
      throw wrongUsage(`cardloom simulate: cannot read ${args[at]}`);
    }
    options[name] = value;
  }
  return options;
}

/** The amount in minor units of a currency with two decimals, as all of the demo's are; null without one. */
function amountOf(options: Options): number | null {
  const text = options['amount'];
  if (text === undefined) return null;
  const match = /^([0-9]{1,10})(?:\.([0-9]{1,2}))?$/.exec(text);
  if (match === null) throw wrongUsage('cardloom simulate: --amount must be like 12.34');
  return Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
}
