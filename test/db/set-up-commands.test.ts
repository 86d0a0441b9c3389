import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPartnerCommand } from '../../cli/operate/create-partner.ts';
import { createProgrammeCommand } from '../../cli/operate/create-programme.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import { findProgrammeByCode } from '../../db/partners.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { openShell, type Shell } from '../support/run-command.ts';

let fresh: FreshDatabase;
let owner: Kysely<Database>;
let shell: Shell;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = createDatabase(createPool({ url: fresh.ownerUrl, max: 2, name: 'test' }));
  shell = openShell(fresh);
});

afterAll(async () => {
  shell.end();
  await owner.destroy();
  await fresh.drop();
});

describe('cardloom create-partner, create-programme', () => {
  it('a partner and its programme are there with their audit rows, and what comes next is printed', async () => {
    const made = await shell.run(createPartnerCommand, '--code', 'bank', '--name', 'Bank One');
    expect(made.code).toBe(0);
    expect(made.output).toContain('cardloom create-programme --partner bank');
    const args = ['--partner', 'bank', '--issuer-code', 'bank-eur', '--currency', 'pln'];
    const told = JSON.parse((await shell.run(createProgrammeCommand, ...args, '--json')).output);
    expect(told.issuerCode).toBe('bank-eur');
    expect(await findProgrammeByCode(owner, 'bank-eur')).toMatchObject({
      publicId: told.programmeId,
      funding: 'credit',
      defaultCurrency: 'PLN',
      kycMode: 'EXTERNAL',
      externalKyc: true,
      state: 'ACTIVE',
    });
    const rows = await owner.selectFrom('audit_log').select(['action', 'actor_type']).orderBy('id').execute();
    expect(rows).toEqual([
      { action: 'partner.created', actor_type: 'CLI' },
      { action: 'programme.created', actor_type: 'CLI' },
    ]);
  });

  it('refuses what the same calls of /admin refuse', async () => {
    const twice = await shell.run(createPartnerCommand, '--code', 'bank', '--name', 'Bank Two');
    expect(twice).toMatchObject({ code: 1 });
    const nobody = ['--partner', 'nobody', '--issuer-code', 'x'];
    expect(await shell.run(createProgrammeCommand, ...nobody)).toMatchObject({ code: 1 });
    const both = [
      '--partner',
      'bank',
      '--issuer-code',
      'x',
      '--balance-holder',
      'external',
      '--funding',
      'credit',
    ];
    expect(await shell.run(createProgrammeCommand, ...both)).toMatchObject({ code: 1 });
    expect(await shell.run(createPartnerCommand, '--code', 'UPPER', '--name', 'x')).toMatchObject({
      code: 64,
    });
    expect(await shell.run(createPartnerCommand, '--code', 'ok', '--name', 'a, b')).toMatchObject({
      code: 64,
    });
  });
});
