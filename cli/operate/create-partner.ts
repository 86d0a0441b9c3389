import { atomically } from '../../db/atomically.ts';
import { createPartner } from '../../db/partner-changes.ts';
import type { Command } from '../command.ts';
import { exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { neededValue, orFail, refuseGiven } from './money-options.ts';
import { onlyValue, readOptions } from './options.ts';

const NAME = 'create-partner';

/** `cardloom create-partner`: adds a partner (operations 11). */
export const createPartnerCommand: Command = {
  name: NAME,
  usage: '--code CODE --name NAME [--legal-name NAME] [--operator NAME]',
  summary: 'add a partner; prints what comes next',
  async run(args, io) {
    const { given, values } = readOptions(NAME, args, ['code', 'name', 'legal-name', 'operator']);
    refuseGiven(NAME, given);
    const code = neededValue(NAME, 'code', values.code);
    if (!/^[a-z0-9-]{2,31}$/.test(code)) {
      throw wrongUsage(`cardloom ${NAME}: --code must be 2 to 31 of a-z, 0-9 and -`);
    }
    const name = nameOf('name', neededValue(NAME, 'name', values.name));
    const legalName = nameOf('legal-name', onlyValue(NAME, 'legal-name', values['legal-name']) ?? name);
    const caller = commandCaller(onlyValue(NAME, 'operator', values.operator));
    const partner = await orFail(() =>
      withDatabase(io, 'engine', (db) =>
        atomically(db, caller, (trx) =>
          createPartner(trx, code, {
            name,
            legalName,
            contacts: [],
            ipAllowList: [],
            pinnedPublicKeys: [],
            partnerRate: 100,
            legacyIntegrations: true,
          }),
        ),
      ),
    );
    const next = [
      `cardloom create-programme --partner ${code} --issuer-code CODE`,
      `cardloom create-operator --email ADDRESS --role Admin --scope PARTNER --partner ${code}`,
    ];
    io.out(
      io.json
        ? JSON.stringify({ partnerId: partner.public_id, code, next })
        : [`partner ${code} (${partner.public_id}) is there. Next:`, ...next].join('\n  '),
    );
    return exitCode.ok;
  },
};

/** A name as certificates carry it: a comma would end it there. */
function nameOf(option: string, text: string): string {
  const name = text.normalize('NFC').trim();
  if (name.length >= 1 && name.length <= 64 && !name.includes(',')) return name;
  throw wrongUsage(`cardloom ${NAME}: --${option} must be 1 to 64 characters without comma`);
}
