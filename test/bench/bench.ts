/** `npm run bench [name] [-- options]`: measurements, in short form by default. They never judge by time. */
import { benchAuthorizations } from './authorizations.ts';
import { benchClearingFile } from './clearing-file.ts';
import { benchPlans } from './plans.ts';

interface Bench {
  readonly usage: string;
  readonly summary: string;
  readonly run: (args: readonly string[], say: (line: string) => void) => Promise<void>;
}

const benches: Readonly<Record<string, Bench>> = {
  authorizations: {
    usage: '[--full] [--seconds N] [--rounds N] [--cards N] [--connections 64,256] [--apis N]',
    summary: 'P1 to P5 over mTLS, as ratios to TPC-B and to a naive baseline',
    run: benchAuthorizations,
  },
  'clearing-file': {
    usage: '[RECORDS]',
    summary: 'P9: a clearing file of 100,000 records from the fetch to the report, and the same file again',
    run: benchClearingFile,
  },
  plans: {
    usage: '[--cards N]',
    summary: 'plans of the hot statements with 1,000,000 cards; fails at a scan of a big table (P11)',
    run: benchPlans,
  },
};

const say = (line: string): void => console.log(line);
const [name, ...args] = process.argv.slice(2);
const bench = name === undefined ? undefined : benches[name];
if (bench === undefined) {
  for (const [known, { usage, summary }] of Object.entries(benches))
    say(`npm run bench ${known} -- ${usage}\n    ${summary}`);
  process.exitCode = name === undefined ? 0 : 64;
} else {
  await bench.run(args, say);
}
