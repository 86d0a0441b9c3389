import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atomically } from '../../db/atomically.ts';
import { audit } from '../../db/audit-log.ts';
import type { Caller } from '../../domain/actor.ts';
import { sealAuthorityKey } from '../../vault/authority-key.ts';
import {
  type Authority,
  createIssuing,
  createRoot,
  openRoot,
  privateKeyPem,
  type Root,
} from '../../vault/certificate-authority.ts';
import type { Command, CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { makePrivateDir, writePrivate } from '../private-file.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { neededValue } from './money-options.ts';
import { openCommandVault } from './open-vault.ts';
import { onlyValue, readOptions } from './options.ts';

const NAME = 'ca';
const CHAIN = 'ca.pem';
const KEY = 'ca.key';
const ROOT = 'root.pem';
const ROOT_KEY = 'root.key';

/**
 * `cardloom ca init`: a root and the issuing authority below it, whose key only this vault opens; `ca renew`: another
 * issuing authority below a root that was kept (channels 9).
 */
export const caCommand: Command = {
  name: NAME,
  usage:
    'init --out DIR [--name NAME] | renew --root FILE --root-key FILE --out DIR [--name NAME] [--operator NAME]',
  summary: 'make the authority that issues client certificates; its key is sealed by the vault',
  async run(args, io) {
    const { given, values } = readOptions(NAME, args, ['out', 'name', 'root', 'root-key', 'operator']);
    const [what, ...more] = given;
    if ((what !== 'init' && what !== 'renew') || more.length > 0) {
      throw wrongUsage(`cardloom ${NAME}: say init or renew`);
    }
    const out = neededValue(NAME, 'out', values.out);
    const name = nameOf(onlyValue(NAME, 'name', values.name) ?? 'Cardloom');
    const caller = commandCaller(onlyValue(NAME, 'operator', values.operator));
    const files = what === 'init' ? [CHAIN, KEY, ROOT, ROOT_KEY] : [CHAIN, KEY];
    const there = files.find((file) => existsSync(join(out, file)));
    if (there !== undefined) throw new CommandFailed(exitCode.failed, `${join(out, there)} is there already`);
    const root =
      what === 'init'
        ? await createRoot(name)
        : await keptRoot(
            neededValue(NAME, 'root', values.root),
            neededValue(NAME, 'root-key', values['root-key']),
          );
    const authority = await createIssuing(root, name);
    const sealed = await register(io, caller, authority);
    makePrivateDir(out);
    if (what === 'init') {
      writePrivate(join(out, ROOT), `${root.certificate.toString('pem')}\n`);
      writePrivate(join(out, ROOT_KEY), await privateKeyPem(root.keys));
    }
    writePrivate(join(out, CHAIN), authority.chainPem);
    writePrivate(join(out, KEY), sealed);
    const set = { CA_CHAIN: join(out, CHAIN), CA_KEY: join(out, KEY) };
    if (io.json) io.out(JSON.stringify({ ...set, ...factsOf(authority) }));
    else {
      io.out(`CA_CHAIN=${set.CA_CHAIN}\nCA_KEY=${set.CA_KEY}`);
      if (what === 'init') {
        io.out(
          `${join(out, ROOT_KEY)} signs issuing authorities: take it offline now, with ${ROOT} beside it`,
        );
      }
    }
    return exitCode.ok;
  },
};

/** Seals the key and leaves the audit row; nothing is written to files where that fails. */
const register = (io: CommandIo, caller: Caller, authority: Authority): Promise<string> =>
  withDatabase(io, 'engine', async (db) => {
    const vault = await openCommandVault(db, io);
    const sealed = sealAuthorityKey(vault, await privateKeyPem(authority.keys));
    const { serial, subject, notAfter } = factsOf(authority);
    await atomically(db, caller, (trx) =>
      audit(trx, {
        action: 'authority.created',
        objectType: 'authority',
        objectId: serial,
        after: { subject, notAfter },
      }),
    );
    return sealed;
  });

const factsOf = ({ certificate }: Authority) => ({
  serial: certificate.serialNumber.toLowerCase(),
  subject: certificate.subject,
  notAfter: certificate.notAfter.toISOString(),
});

async function keptRoot(certificateFile: string, keyFile: string): Promise<Root> {
  try {
    const pem = readFileSync(certificateFile, 'utf8');
    const certificate = new X509Certificate(pem);
    if (!certificate.ca || Date.parse(certificate.validTo) <= Date.now()) throw new Error('no root in force');
    return await openRoot(pem, readFileSync(keyFile, 'utf8'));
  } catch {
    throw new CommandFailed(exitCode.failed, 'These files hold no root in force and its key.');
  }
}

function nameOf(text: string): string {
  if (/^[A-Za-z0-9 ._-]{1,48}$/.test(text)) return text;
  throw wrongUsage(`cardloom ${NAME}: --name must be 1 to 48 of letters, digits, blank, dot, _ and -`);
}
