import { atomically, type Trx } from '../../db/atomically.ts';
import { inviteOperator } from '../../db/operator-changes.ts';
import { openLink } from '../../db/operator-links.ts';
import type { Operator } from '../../db/operators.ts';
import { OPERATOR_ROLES, OPERATOR_SCOPES, type OperatorRole } from '../../domain/operator.ts';
import { newToken } from '../../vault/session-token.ts';
import type { Command } from '../command.ts';
import { readStartSettings } from '../config.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, operatorSettings, withDatabase } from './connection.ts';
import { neededValue, orFail, refuseGiven, wordValue } from './money-options.ts';
import { openCommandVault } from './open-vault.ts';
import { onlyValue, readOptions } from './options.ts';

const NAME = 'create-operator';

/** `cardloom create-operator`: invites an operator and prints the link; the first one becomes Admin (channels 12). */
export const createOperatorCommand: Command = {
  name: NAME,
  usage: `--email ADDRESS --role ${OPERATOR_ROLES.join('|')} --scope ${OPERATOR_SCOPES.join('|')} [--partner CODE] [--operator NAME]`,
  summary: 'invite an operator; prints the link to the first password, good for an hour',
  async run(args, io) {
    const { given, values } = readOptions(NAME, args, ['email', 'role', 'scope', 'partner', 'operator']);
    refuseGiven(NAME, given);
    const email = addressOf(neededValue(NAME, 'email', values.email));
    const role = wordValue(NAME, 'role', values.role, OPERATOR_ROLES);
    const scope = wordValue(NAME, 'scope', values.scope, OPERATOR_SCOPES);
    const partner = onlyValue(NAME, 'partner', values.partner);
    if ((scope === 'PARTNER') !== (partner !== null)) {
      throw wrongUsage(`cardloom ${NAME}: --partner CODE goes with --scope PARTNER, and only with it`);
    }
    const caller = commandCaller(onlyValue(NAME, 'operator', values.operator));
    const { operator, token } = await orFail(() =>
      withDatabase(io, 'engine', async (db) => {
        const { token: link, hash } = newToken(await openCommandVault(db, io), 'lnk');
        const invited = await atomically(db, caller, async (trx) => {
          const one = await invite(trx, email, role, partner);
          const { operatorId, partnerId } = one;
          await openLink(trx, { operatorId, partnerId, purpose: 'INVITATION', tokenHash: hash });
          return one;
        });
        return { operator: invited, token: link };
      }),
    );
    const { values: settings } = readStartSettings(operatorSettings(io).environment);
    const link = `${settings.PUBLIC_URL ?? 'http://localhost:8080'}/panel/invitation?token=${token}`;
    io.out(
      io.json
        ? JSON.stringify({ operatorId: operator.operatorId, email, role: operator.role, scope, link })
        : `${email} is invited as ${operator.role}. Within an hour: ${link}`,
    );
    return exitCode.ok;
  },
};

/** Without an Admin nobody could appoint one: the first operator of a scope is Admin, whatever was asked. */
async function invite(
  trx: Trx,
  email: string,
  role: OperatorRole,
  partner: string | null,
): Promise<Operator> {
  const partnerId = partner === null ? null : await partnerIdOf(trx, partner);
  const known = await trx
    .selectFrom('operators')
    .select('operator_id')
    .where('partner_id', 'is not distinct from', partnerId)
    .limit(1)
    .executeTakeFirst();
  const [account = email] = email.split('@');
  return await inviteOperator(trx, {
    email,
    firstName: account,
    lastName: 'Operator',
    role: known === undefined ? 'Admin' : role,
    partnerId,
  });
}

async function partnerIdOf(trx: Trx, code: string): Promise<number> {
  const row = await trx
    .selectFrom('partners')
    .select('partner_id')
    .where('code', '=', code)
    .executeTakeFirst();
  if (row === undefined) throw new CommandFailed(exitCode.failed, 'There is no such partner.');
  return row.partner_id;
}

function addressOf(text: string): string {
  const address = text.trim().toLowerCase();
  if (address.length <= 254 && /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(address)) return address;
  throw wrongUsage(`cardloom ${NAME}: --email must be an e-mail address`);
}
