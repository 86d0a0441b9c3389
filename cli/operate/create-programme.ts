import { atomically } from '../../db/atomically.ts';
import { createProgramme } from '../../db/programme-changes.ts';
import { isCountry } from '../../domain/country.ts';
import { PROGRAMME_DEFAULTS, type ProgrammeSettings } from '../../domain/programme.ts';
import type { Command } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { neededValue, orFail, refuseGiven, wordValue } from './money-options.ts';
import { onlyValue, readOptions } from './options.ts';

const NAME = 'create-programme';
const OPTIONS = [
  'partner',
  'issuer-code',
  'name',
  'balance-holder',
  'funding',
  'currency',
  'kyc-mode',
  'country',
  'operator',
] as const;

/** `cardloom create-programme`: adds a programme to a partner (operations 11). */
export const createProgrammeCommand: Command = {
  name: NAME,
  usage:
    '--partner CODE --issuer-code CODE [--name NAME] [--balance-holder platform|external] [--funding credit|deposit] ' +
    '[--currency EUR] [--kyc-mode MANUAL|EXTERNAL] [--country PL] [--operator NAME]',
  summary: 'add a programme to a partner; other settings are changed under /admin',
  async run(args, io) {
    const { given, values } = readOptions(NAME, args, OPTIONS);
    refuseGiven(NAME, given);
    const partner = neededValue(NAME, 'partner', values.partner);
    const settings = settingsOf(values);
    const caller = commandCaller(onlyValue(NAME, 'operator', values.operator));
    const row = await orFail(() =>
      withDatabase(io, 'engine', (db) =>
        atomically(db, caller, async (trx) => {
          const found = await trx
            .selectFrom('partners')
            .select('public_id')
            .where('code', '=', partner)
            .executeTakeFirst();
          if (found === undefined) throw new CommandFailed(exitCode.failed, 'There is no such partner.');
          return await createProgramme(trx, found.public_id, settings, []);
        }),
      ),
    );
    const { issuerCode, funding, defaultCurrency } = settings;
    const next = [
      `cardloom open-partner-balance --programme ${issuerCode} --kind ${funding} --currency ${defaultCurrency}`,
      `POST /admin/card-products with programmeId ${row.public_id}`,
    ];
    io.out(
      io.json
        ? JSON.stringify({ programmeId: row.public_id, issuerCode, next })
        : [`programme ${issuerCode} (${row.public_id}) is there. Next:`, ...next].join('\n  '),
    );
    return exitCode.ok;
  },
};

function settingsOf(
  values: Readonly<Record<(typeof OPTIONS)[number], readonly string[]>>,
): ProgrammeSettings {
  const optional = (name: (typeof OPTIONS)[number], otherwise: string) =>
    onlyValue(NAME, name, values[name]) ?? otherwise;
  const issuerCode = neededValue(NAME, 'issuer-code', values['issuer-code']);
  const currency = optional('currency', 'EUR').toUpperCase();
  const country = optional('country', 'PL').toUpperCase();
  const refuse = (option: string, rule: string) =>
    wrongUsage(`cardloom ${NAME}: --${option} must be ${rule}`);
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(issuerCode)) {
    throw refuse('issuer-code', '1 to 32 of letters, digits, _ and -');
  }
  if (!Intl.supportedValuesOf('currency').includes(currency)) throw refuse('currency', 'an ISO 4217 code');
  if (!isCountry(country)) throw refuse('country', 'an ISO 3166-1 code of two letters');
  const kycMode = wordValue(NAME, 'kyc-mode', [optional('kyc-mode', 'EXTERNAL')], ['MANUAL', 'EXTERNAL']);
  const balanceHolder = optional('balance-holder', 'platform');
  const funding = optional('funding', balanceHolder === 'external' ? 'deposit' : 'credit');
  return {
    ...PROGRAMME_DEFAULTS,
    issuerCode,
    name: optional('name', issuerCode).slice(0, 64),
    balanceHolder: wordValue(NAME, 'balance-holder', [balanceHolder], ['platform', 'external']),
    funding: wordValue(NAME, 'funding', [funding], ['credit', 'deposit']),
    defaultCurrency: currency,
    currencies: [currency],
    kycMode,
    externalKyc: kycMode === 'EXTERNAL',
    country,
  };
}
