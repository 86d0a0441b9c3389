import { verifyAudit } from '../../db/audit-seals.ts';
import { openAnchorSink } from '../../vault/anchor-sink.ts';
import { readAnchors } from '../../vault/read-anchors.ts';
import type { Command } from '../command.ts';
import { CommandFailed, exitCode } from '../exit-code.ts';
import { withDatabase } from './connection.ts';
import { refuseGiven } from './money-options.ts';
import { commandVaultSettings, openCommandVault } from './open-vault.ts';
import { onlyValue, readOptions } from './options.ts';
import { tableLines } from './table.ts';

const NAME = 'verify-audit';

/** `cardloom verify-audit`: proves the hash chains of the audit log; exit code 1 with the evidence on a difference. */
export const verifyAuditCommand: Command = {
  name: NAME,
  usage: '[--chain PARTNER_ID|platform]',
  summary: 'prove from the rows, and the anchors outside the database, that no audit row was changed or lost',
  async run(args, io) {
    const { given, values } = readOptions(NAME, args, ['chain']);
    refuseGiven(NAME, given);
    const only = onlyValue(NAME, 'chain', values.chain) ?? undefined;
    const { chains, anchors } = await withDatabase(io, 'engine', async (db) => {
      const vault = await openCommandVault(db, io);
      const sink = openAnchorSink(commandVaultSettings(io).AUDIT_ANCHOR_URL);
      const read = await readAnchors(vault, sink);
      return { anchors: read, chains: await verifyAudit(db, read.heads, { chain: only }) };
    });
    if (only !== undefined && chains.length === 0) {
      throw new CommandFailed(exitCode.failed, 'There is no such chain.');
    }
    const ok = anchors.forged === 0 && chains.every((one) => one.ok);
    const { checked: anchorsChecked, forged: anchorsForged, lastAt: lastAnchorAt } = anchors;
    if (io.json) io.out(JSON.stringify({ ok, chains, anchorsChecked, anchorsForged, lastAnchorAt }));
    else {
      const rows = chains.map((one) => [one.chain, String(one.rows), describe(one)]);
      for (const line of tableLines(['chain', 'rows', 'found'], rows)) io.out(line);
      io.out(
        `${anchorsChecked} anchors, ${anchorsForged} of them not ours, the newest of ${lastAnchorAt ?? 'never'}`,
      );
      io.out(ok ? 'the audit log is whole' : 'the audit log is NOT whole');
    }
    return ok ? exitCode.ok : exitCode.failed;
  },
};

const describe = (one: { readonly problem: string | null; readonly firstBadSeq: number | null }): string =>
  one.problem === null ? 'whole' : `${one.problem} at ${one.firstBadSeq ?? 'the end'}`;
