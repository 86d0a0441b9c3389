import { atomically } from '../../db/atomically.ts';
import { REVOCATION_REASONS, revokeCertificate, type RevocationReason } from '../../db/certificates.ts';
import { Refusal } from '../../domain/errors.ts';
import type { Command } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';

/** `cardloom revoke`: a client certificate ends now; open connections close within 5 s (channels 9). */
export const revokeCommand: Command = {
  name: 'revoke',
  usage: `--serial HEX | --fingerprint SHA256 --reason ${REVOCATION_REASONS.join('|')} [--operator NAME]`,
  summary: 'revoke a client certificate',
  async run(args, io) {
    const { given, values } = readOptions('revoke', args, ['serial', 'fingerprint', 'reason', 'operator']);
    if (given.length > 0) throw wrongUsage(`cardloom revoke: cannot read ${given[0]}`);
    const serial = hexOf(onlyValue('revoke', 'serial', values.serial));
    const fingerprint = hexOf(onlyValue('revoke', 'fingerprint', values.fingerprint));
    if ((serial === null) === (fingerprint === null)) {
      throw wrongUsage('cardloom revoke: give either --serial or --fingerprint');
    }
    const reason = reasonOf(onlyValue('revoke', 'reason', values.reason));
    const caller = commandCaller(onlyValue('revoke', 'operator', values.operator));
    const named = serial === null ? { fingerprintSha256: fingerprint ?? '' } : { serial };
    try {
      const revoked = await withDatabase(io, 'engine', (db) =>
        atomically(db, caller, (trx) => revokeCertificate(trx, named, reason)),
      );
      io.out(
        io.json
          ? JSON.stringify({ ...revoked, state: 'REVOKED', reason })
          : `certificate ${revoked.label} (${revoked.certificateId}) is revoked: ${reason}`,
      );
      return exitCode.ok;
    } catch (error) {
      if (error instanceof Refusal) throw new CommandFailed(exitCode.failed, error.detail);
      throw error;
    }
  },
};

/** Serials and fingerprints as the registry writes them, whatever tool they were copied from. */
const hexOf = (text: string | null): string | null => text?.replaceAll(':', '').toLowerCase() ?? null;

function reasonOf(text: string | null): RevocationReason {
  const reason = REVOCATION_REASONS.find((one) => one === text?.toUpperCase());
  if (reason === undefined) {
    throw wrongUsage(`cardloom revoke: --reason must be one of ${REVOCATION_REASONS.join(', ')}`);
  }
  return reason;
}
