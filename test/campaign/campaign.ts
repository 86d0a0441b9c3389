/** `npm run campaign [name] [-- options]`: long proofs, in short form by default. */
import { crashCommand } from './crash.ts';

interface Campaign {
  readonly usage: string;
  readonly summary: string;
  /** Answers the exit code. */
  readonly run: (args: readonly string[], say: (line: string) => void) => Promise<number>;
}

const campaigns: Readonly<Record<string, Campaign>> = {
  crash: {
    usage: '[--kills 1000] [--failpoints "auth.before_commit=kill@0.02;..."]',
    summary: 'SIGKILL of API and PostgreSQL under load; the books must show what was answered (R1)',
    run: crashCommand,
  },
};

const say = (line: string): void => console.log(line);
const [name, ...args] = process.argv.slice(2);
const campaign = name === undefined ? undefined : campaigns[name];
if (campaign === undefined) {
  for (const [known, one] of Object.entries(campaigns))
    say(`npm run campaign ${known} -- ${one.usage}\n    ${one.summary}`);
  process.exitCode = name === undefined ? 0 : 64;
} else {
  process.exitCode = await campaign.run(args, say);
}
