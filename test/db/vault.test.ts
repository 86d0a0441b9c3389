import { createSecretKey, generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Caller } from '../../domain/actor.ts';
import { encryptFullCard, findByPan, storeCard, verifyCardCvc2 } from '../../vault/cards.ts';
import { cvc2 } from '../../vault/cvc2.ts';
import { keyRing, newestKey } from '../../vault/key-ring.ts';
import { isPan } from '../../vault/pan.ts';
import { platformPublicKey } from '../../vault/platform-key.ts';
import { type RecipientKey, readRecipientKey } from '../../vault/recipient-key.ts';
import { openVault, type Vault } from '../../vault/vault.ts';
import { testKeySources } from '../support/vault.ts';

type Db = Kysely<unknown>;
const connect = (connectionString: string): Db =>
  new Kysely<unknown>({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString, max: 4 }) }) });

const PARTNER = 1_000_000 + randomInt(1_000_000);
const OTHER_PARTNER = PARTNER + 1;
const caller: Caller = {
  partnerId: PARTNER,
  actor: { type: 'PARTNER', id: 'p' },
  requestId: 'r-1',
  ip: null,
};

let owner: Db;
let app: Db;
let engine: Db;
let vault: Vault;

beforeAll(async () => {
  owner = connect(inject('databaseOwnerUrl'));
  app = connect(inject('databaseAppUrl'));
  engine = connect(inject('databaseEngineUrl'));
  vault = await openVault(engine, testKeySources());
});
afterAll(async () => {
  await Promise.all([owner, app, engine].map((db) => db.destroy()));
});

/** Runs as a channel does: with the partner that `atomically()` would set. */
const as = <T>(
  db: Db,
  partnerId: number | null,
  work: (trx: Transaction<unknown>) => Promise<T>,
): Promise<T> =>
  db.transaction().execute(async (trx) => {
    await sql`select set_config('app.partner', ${partnerId === null ? '' : String(partnerId)}, true)`.execute(
      trx,
    );
    return await work(trx);
  });

/** Looks into the tables as cardloom_vault, which only the owner may become. */
const inside = (statement: ReturnType<typeof sql>): Promise<unknown[]> =>
  as(owner, PARTNER, async (trx) => {
    await sql`set local role cardloom_vault`.execute(trx);
    return (await statement.execute(trx)).rows;
  });

const newPan = (): Buffer => {
  const body = `555555${String(randomInt(1_000_000_000)).padStart(9, '0')}`;
  const pans = [...'0123456789'].map((check) => Buffer.from(body + check));
  return pans.find((one) => isPan(one)) as Buffer;
};
const aCard = (partnerId = PARTNER) => {
  const cardId = randomInt(2 ** 40);
  return {
    partnerId,
    cardId,
    caller,
    processorCardId: `pc_${cardId}`,
    pan: newPan(),
    expiryDate: '2031-01-31',
  };
};
const recipient = () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  return { recipientKey: readRecipientKey(spki) as RecipientKey, privateKey };
};

describe('keys in the database', () => {
  it('are the same for all who open the vault at once, and at the next start', async () => {
    const opened = await Promise.all([1, 2, 3].map(() => openVault(engine, testKeySources())));
    for (const one of opened) {
      expect(platformPublicKey(one)).toEqual(platformPublicKey(vault));
      expect(newestKey(one.panIndex).export()).toEqual(newestKey(vault.panIndex).export());
    }
    const withoutFile = await openVault(engine, { ...testKeySources(), cvk: null });
    expect(withoutFile.module.cvkVersion).toBe(1);
  });

  it('are never there in clear', async () => {
    const rows = JSON.stringify(await inside(sql`select encode(wrapped, 'hex') as wrapped from vault.keys`));
    for (const ring of [
      vault.panIndex,
      vault.personalDataIndex,
      vault.connectionSecrets,
      vault.pepper,
      vault.token,
    ]) {
      expect(rows).not.toContain(newestKey(ring).export().toString('hex'));
    }
    expect(rows).not.toMatch(/0123456789abcdef|fedcba9876543210/i);
  });

  it('do not open with another key encryption key, and the fault names purpose and version only', async () => {
    const foreign = { ...testKeySources(), kek: keyRing(new Map([[1, createSecretKey(randomBytes(32))]])) };
    await expect(openVault(engine, foreign)).rejects.toThrow(
      /^key [a-z-]+ version 1 cannot be opened with the key encryption key$/,
    );
  });

  it('refuse a CVK that differs from the one that is kept', async () => {
    const other = { ...testKeySources(), cvk: { version: 1, key: createSecretKey(randomBytes(16)) } };
    await expect(openVault(engine, other)).rejects.toThrow('key cvk version 1 differs');
  });
});

describe('a stored card', () => {
  it('comes out only as a JWE, with the CVC2 computed, and each reading is recorded', async () => {
    const card = aCard();
    const stored = await as(app, PARTNER, (trx) => storeCard(trx, vault, card));
    expect(stored).toEqual({
      outcome: 'STORED',
      bin: '555555',
      lastFourDigits: card.pan.toString().slice(-4),
      cvc2Agrees: null,
    });
    const { recipientKey, privateKey } = recipient();
    const compact = await as(app, PARTNER, (trx) =>
      encryptFullCard(trx, vault, {
        ...card,
        recipientKey,
        card: { id: card.cardId, label: 'ä"x', exp: 'replaced' },
      }),
    );
    const { plaintext, protectedHeader } = await compactDecrypt(compact ?? '', privateKey);
    expect(protectedHeader).toEqual({ alg: 'RSA-OAEP-256', enc: 'A256GCM' });
    const expected = cvc2(
      Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex'),
      card.pan,
      card.expiryDate,
      'YYMM',
    );
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({
      id: card.cardId,
      label: 'ä"x',
      cardNo: card.pan.toString(),
      cvv: expected,
      exp: '2031-01-31',
    });
    const access = await inside(
      sql`select reason, actor_type, request_id from vault.card_access where card_id = ${card.cardId} order by access_id`,
    );
    expect(access).toEqual([
      { reason: 'STORE', actor_type: 'PARTNER', request_id: 'r-1' },
      { reason: 'FULL_DATA', actor_type: 'PARTNER', request_id: 'r-1' },
    ]);
  });

  it('verifies its CVC2, also the one that the processor sent', async () => {
    const card = aCard();
    const right = cvc2(
      Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex'),
      card.pan,
      card.expiryDate,
      'YYMM',
    );
    const wrong = right === '000' ? '001' : '000';
    const store = (code: string) => as(engine, null, (trx) => storeCard(trx, vault, { ...card, cvc2: code }));
    expect(await store(right)).toMatchObject({ outcome: 'STORED', cvc2Agrees: true });
    expect(await store(wrong)).toMatchObject({ outcome: 'SAME', cvc2Agrees: false });
    const verify = (candidate: string) =>
      as(engine, null, (trx) => verifyCardCvc2(trx, vault, { ...card, candidate }));
    expect(await verify(right)).toBe(true);
    expect(await verify(wrong)).toBe(false);
  });

  it('is found by its PAN, over all partners', async () => {
    const card = aCard(OTHER_PARTNER);
    await as(engine, null, (trx) => storeCard(trx, vault, card));
    expect(await findByPan(engine, vault, card.pan)).toEqual({
      cardId: card.cardId,
      partnerId: OTHER_PARTNER,
    });
    expect(await findByPan(engine, vault, newPan())).toBeNull();
  });

  it('keeps its PAN for itself: a repeat is SAME, another card CONFLICT, also of another partner', async () => {
    const card = aCard();
    const store = (one: ReturnType<typeof aCard>) =>
      as(app, one.partnerId, async (trx) => (await storeCard(trx, vault, one)).outcome);
    expect(await store(card)).toBe('STORED');
    expect(await store(card)).toBe('SAME');
    expect(await store({ ...aCard(), pan: card.pan })).toBe('CONFLICT');
    expect(await store({ ...aCard(OTHER_PARTNER), pan: card.pan })).toBe('CONFLICT');
    expect(await store({ ...card, pan: newPan() })).toBe('CONFLICT');
  });

  it('has one winner when two store the same PAN at once', async () => {
    const first = aCard();
    const second = { ...aCard(OTHER_PARTNER), pan: first.pan };
    const outcomes = await Promise.all(
      [first, second].map((one) =>
        as(engine, null, async (trx) => (await storeCard(trx, vault, one)).outcome),
      ),
    );
    expect(outcomes.toSorted()).toEqual(['CONFLICT', 'STORED']);
  });

  it('leaves nothing behind, the record of access neither, when the transaction fails', async () => {
    const card = aCard();
    const failing = as(app, PARTNER, async (trx) => {
      await storeCard(trx, vault, card);
      throw new Error('later step');
    });
    await expect(failing).rejects.toThrow('later step');
    expect(await inside(sql`select 1 from vault.cards where card_id = ${card.cardId}`)).toEqual([]);
    expect(await inside(sql`select 1 from vault.card_access where card_id = ${card.cardId}`)).toEqual([]);
  });

  it('shows neither PAN nor CVC2 in its row', async () => {
    const card = aCard();
    await as(app, PARTNER, (trx) => storeCard(trx, vault, card));
    const row = await inside(sql`select c.*, encode(pan_ct, 'escape') as text from vault.cards c
      where card_id = ${card.cardId}`);
    expect(JSON.stringify(row)).not.toContain(card.pan.toString());
    expect(Object.keys(row[0] as object).filter((name) => /cvc|cvv/.test(name))).toEqual(['cvc_version']);
  });

  it('does not open when its ciphertext was moved from another card', async () => {
    const [card, other] = [aCard(), aCard()];
    for (const one of [card, other]) await as(app, PARTNER, (trx) => storeCard(trx, vault, one));
    await inside(sql`update vault.cards c set pan_ct = o.pan_ct, wrapped_dek = o.wrapped_dek
      from vault.cards o where c.card_id = ${card.cardId} and o.card_id = ${other.cardId}`);
    const { recipientKey } = recipient();
    const reading = as(app, PARTNER, (trx) =>
      encryptFullCard(trx, vault, { ...card, recipientKey, card: {} }),
    );
    await expect(reading).rejects.toThrow('a sealed value of vault.cards.dek cannot be opened');
  });

  it.each([
    { fault: 'a wrong check digit', change: { pan: Buffer.from('5555555555554445') } },
    { fault: 'an expiry that is no date', change: { expiryDate: '01/31' } },
  ])('is refused with $fault, which is not repeated', async ({ change }) => {
    const failing = as(app, PARTNER, (trx) => storeCard(trx, vault, { ...aCard(), ...change }));
    await expect(failing).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/5555|01\/31/) }),
    );
  });
});

describe('a channel', () => {
  it.each([
    { name: 'another partner', partnerId: OTHER_PARTNER },
    { name: 'no partner', partnerId: null },
  ])('of $name neither stores nor reads a card of the partner', async ({ partnerId }) => {
    const card = aCard();
    const { recipientKey } = recipient();
    await as(app, PARTNER, (trx) => storeCard(trx, vault, card));
    const read = as(app, partnerId, (trx) =>
      encryptFullCard(trx, vault, { ...card, recipientKey, card: {} }),
    );
    await expect(read).rejects.toMatchObject({ code: '42501' });
    await expect(as(app, partnerId, (trx) => storeCard(trx, vault, aCard()))).rejects.toMatchObject({
      code: '42501',
    });
  });

  it('that names itself for a foreign card finds nothing, and records nothing', async () => {
    const card = aCard();
    const { recipientKey } = recipient();
    await as(app, PARTNER, (trx) => storeCard(trx, vault, card));
    const foreign = { ...card, partnerId: OTHER_PARTNER, recipientKey, card: {} };
    expect(await as(app, OTHER_PARTNER, (trx) => encryptFullCard(trx, vault, foreign))).toBeNull();
    expect(await as(engine, null, (trx) => encryptFullCard(trx, vault, foreign))).toBeNull();
    const reads = sql`select 1 from vault.card_access where card_id = ${card.cardId} and reason <> 'STORE'`;
    expect(await inside(reads)).toEqual([]);
  });

  it.each([
    sql`select * from vault.cards`,
    sql`select * from vault.keys`,
    sql`select * from vault.card_access`,
    sql`delete from vault.card_access`,
    sql`insert into vault.keys values ('pan-index', 2, '', 1)`,
    sql`select * from vault.load_keys()`,
    sql`select vault.store_key('pan-index', 9, '', 1)`,
    sql`select * from vault.find_card('{}')`,
    sql`select vault.require_partner(1)`,
    sql`set role cardloom_vault`,
    sql`create table vault.mine (a int)`,
  ])('may not run statement %#', async (statement) => {
    await expect(as(app, PARTNER, (trx) => statement.execute(trx))).rejects.toMatchObject({ code: '42501' });
  });
});

describe('the engine', () => {
  it.each([
    sql`select * from vault.cards`,
    sql`select * from vault.keys`,
    sql`delete from vault.card_access`,
    sql`set role cardloom_vault`,
  ])('may not run statement %#', async (statement) => {
    await expect(as(engine, null, (trx) => statement.execute(trx))).rejects.toMatchObject({ code: '42501' });
  });
});

describe('the schema', () => {
  it('belongs to cardloom_vault with all that is in it, open to nobody else', async () => {
    const { rows } = await sql<{ owner: string; public_may: boolean }>`
      select distinct pg_get_userbyid(proowner) as owner,
        exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0) as public_may
      from pg_proc where pronamespace = 'vault'::regnamespace
      union select distinct pg_get_userbyid(relowner),
        exists (select from aclexplode(coalesce(relacl, acldefault('r', relowner))) where grantee <> relowner)
      from pg_class where relnamespace = 'vault'::regnamespace and relkind = 'r'`.execute(owner);
    expect(rows).toEqual([{ owner: 'cardloom_vault', public_may: false }]);
  });

  it('has functions with a fixed search path only', async () => {
    const { rows } = await sql<{ proname: string }>`select proname from pg_proc
      where pronamespace = 'vault'::regnamespace
        and not coalesce(proconfig @> array['search_path=pg_catalog, pg_temp'], false)`.execute(owner);
    expect(rows).toEqual([]);
  });

  it('lets not even cardloom_vault change what was recorded', async () => {
    await expect(inside(sql`delete from vault.card_access`)).rejects.toMatchObject({ code: '42501' });
    await expect(inside(sql`update vault.card_access set reason = 'STORE'`)).rejects.toMatchObject({
      code: '42501',
    });
  });
});
