import { reconcile } from '../../db/reconciliation.ts';
import { type ReconciliationJob, reconciliationJobs } from '../../domain/reconciliation.ts';
import type { Command } from '../command.ts';
import { exitCode, wrongUsage } from '../exit-code.ts';
import { withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';

const NAME = 'reconcile';

/** `cardloom reconcile`: runs one job by hand, as its schedule would; exit code 1 on a difference. */
export const reconcileCommand: Command = {
  name: NAME,
  usage: `--job ${reconciliationJobs.join('|')} [--file FILE_ID]`,
  summary: 'run a reconciliation job now',
  async run(args, io) {
    const { given, values } = readOptions(NAME, args, ['job', 'file']);
    if (given.length > 0) throw wrongUsage(`cardloom ${NAME}: unknown argument ${given[0]}`);
    const named = onlyValue(NAME, 'job', values.job);
    const job: ReconciliationJob | undefined = reconciliationJobs.find((one) => one === named);
    const file = onlyValue(NAME, 'file', values.file);
    if (job === undefined) throw wrongUsage(`cardloom ${NAME}: name a job`);
    if ((job === 'clearing') !== (file !== null)) {
      throw wrongUsage(`cardloom ${NAME}: job clearing looks at one file, --file names it`);
    }
    const verdict = await withDatabase(io, 'engine', (db) => reconcile(db, job, file));
    if (io.json) io.out(JSON.stringify(verdict));
    else if (verdict.ok) io.out(`${job}: no difference`);
    else io.out(`${job}: differences in ${verdict.invariants.join(', ')}; see cardloom exceptions`);
    return verdict.ok ? exitCode.ok : exitCode.failed;
  },
};
