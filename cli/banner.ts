import { randomInt } from 'node:crypto';
import { isAbsolute, relative } from 'node:path';
import type { Quickstart } from './quickstart.ts';

/** The end of a start: addresses and three commands that work when pasted (operations 1). */
export function readyBanner(quickstart: Quickstart, seconds: number, folders: Folders): string[] {
  return [
    `Cardloom is ready (${seconds} s)`,
    ...addressLines(quickstart),
    'Try',
    '  1  npm run demo',
    `  2  ${walletCommand(quickstart, folders)}`,
    '  3  npx cardloom simulate purchase --card last --amount 12.34',
    `Ctrl-C stops everything. Data stays in ${shown(folders.dataDir, folders)} (npm run reset deletes it).`,
  ];
}

export interface Folders {
  readonly projectDir: string;
  readonly dataDir: string;
}

/** The addresses of a running stack; where operators sign in only when there is one. Their panel does not exist yet. */
export function addressLines(quickstart: Quickstart): string[] {
  const operator = quickstart.operators[0];
  const signIn =
    operator === undefined
      ? []
      : [
          columns(
            'Operators',
            `${quickstart.publicUrl}/admin/session`,
            `${operator.email} / ${operator.password}, code in the inbox`,
          ),
        ];
  return [
    ...signIn,
    columns('API', `${quickstart.publicUrl}/docs`, `${quickstart.certificateUrl} (client certificate)`),
    columns('Temporal UI', quickstart.temporalUiUrl, `Inbox  ${quickstart.simulators.inboxUrl}`),
  ];
}

const columns = (name: string, first: string, second: string): string =>
  `  ${name.padEnd(13)}${first.padEnd(33)} ${second}`;

/** A person nobody has registered yet, so that the command works at every start. */
function walletCommand(quickstart: Quickstart, folders: Folders): string {
  const number = randomInt(100_000, 1_000_000);
  const person = {
    firstName: 'Ada',
    lastName: 'Nowak',
    phone: `48600${number}`,
    email: `ada${number}@demo.test`,
    birthDate: '1990-04-12',
    state: 'VERIFIED',
    kyc: 'SUCCESS',
  };
  const file = (path: string) => shown(path, folders);
  return (
    `curl --cacert ${file(quickstart.caCertificate)} --cert ${file(quickstart.partner.certificate)} ` +
    `--key ${file(quickstart.partner.key)} ${quickstart.certificateUrl}/lifecycle/v1/wallet ` +
    `-H 'Issuer-Code: sandbox' -H 'Content-Type: application/json' -d '${JSON.stringify(person)}'`
  );
}

/** A path as a person in the project folder would type it. */
function shown(path: string, folders: Folders): string {
  const short = relative(folders.projectDir, path);
  const text = short === '' || short.startsWith('..') || isAbsolute(short) ? path : short;
  return /^[A-Za-z0-9_./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
