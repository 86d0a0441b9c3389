import { listCertificates } from '../../db/certificates.ts';
import type { Command } from '../command.ts';
import { exitCode, wrongUsage } from '../exit-code.ts';
import { withDatabase } from './connection.ts';
import { tableLines } from './table.ts';

/** `cardloom certificates`: who may call, with what, until when (channels 9). */
export const certificatesCommand: Command = {
  name: 'certificates',
  usage: '',
  summary: 'list the client certificates of the registry',
  async run(args, io) {
    if (args.length > 0) throw wrongUsage(`cardloom certificates: unknown argument ${args[0]}`);
    const found = await withDatabase(io, 'engine', (db) => listCertificates(db, new Date()));
    const certificates = found.toSorted(
      (one, other) =>
        (one.partnerCode ?? '').localeCompare(other.partnerCode ?? '') ||
        one.label.localeCompare(other.label),
    );
    if (io.json) {
      io.out(JSON.stringify({ items: certificates }));
      return exitCode.ok;
    }
    const rows = certificates.map((one) => [
      one.partnerCode ?? '-',
      one.label,
      one.state,
      one.scopes.join(','),
      one.notAfter?.toISOString().slice(0, 10) ?? '-',
      one.serial ?? '-',
    ]);
    for (const line of tableLines(['partner', 'label', 'state', 'scopes', 'not after', 'serial'], rows)) {
      io.out(line);
    }
    return exitCode.ok;
  },
};
