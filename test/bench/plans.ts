import { randomInt } from 'node:crypto';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { createDatabase, createPool } from '../../db/client.ts';
import { aPurchase, aRecord, aReversal } from '../support/card-traffic.ts';
import { type Product, startProduct } from '../support/product.ts';
import { openConnection, type Reply } from './load/connection.ts';
import { httpRequest } from './load/purchase.ts';
import { type BigTables, faultsOf, type LoggedPlan, readPlans, summaryOf } from './plan-check.ts';
import { seedCards, seedProgrammes, settle } from './seed.ts';

/** No message may look at transactions older than refunds can be (180 days) and the month they begin in. */
const OLDEST_DAYS = 215;
const OLD_MONTHS = 14;
const BIG = 10_000;
const CONNECTIONS = 24;
const MESSAGES = 1_500;

/**
 * `npm run bench plans`: sends every kind of message to the product with 1,000,000 cards and a year of partitions
 * present, takes the plans that PostgreSQL really used (auto_explain) and fails when a statement of the lanes scans
 * a big table as a whole or looks into partitions that no message can mean (goals P11).
 */
export async function benchPlans(args: readonly string[], say: (line: string) => void): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { cards: { type: 'string', default: '1000000' } },
  });
  const cards = Number(values.cards);
  const product = await startProduct({ apis: 1 });
  const url = new URL(product.urls.superuser);
  url.pathname = '/cardloom';
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  try {
    await makeOldPartitions(admin);
    const owner = createDatabase(createPool({ url: url.href, max: 1, name: 'bench' }));
    const programmes = await seedProgrammes(owner, 8);
    await seedCards(owner, { programmes, prefix: 'plan-', cards, cardsPerBalance: 4, topUps: 4 });
    await owner.destroy();
    await fillSmallTables(admin, cards);
    await settle(admin);
    say(`seeded: ${cards} cards`);
    await logPlans(admin, product);
    await sendEveryKind(product, cards);
    const plans = readPlans(readFileSync(join(product.dataDir, 'postgres.log'), 'utf8'));
    const tables = await bigTables(admin);
    for (const line of summaryOf(plans, tables)) say(line);
    const faults = faultsOf(plans, tables);
    for (const fault of faults) say(`FAULT ${fault}`);
    say(
      JSON.stringify({ cards, statements: new Set(plans.map((one: LoggedPlan) => one.text)).size, faults }),
    );
    if (faults.length > 0) process.exitCode = 1;
  } finally {
    await admin.end();
    await product.stop();
  }
}

/** Months that are over, with a row each, so that a statement which does not prune is seen to enter them. */
async function makeOldPartitions(admin: pg.Client): Promise<void> {
  for (const table of ['transactions', 'transaction_events', 'ledger_transfers']) {
    for (let months = 2; months <= OLD_MONTHS; months += 1) {
      await admin.query(`
        do $$ declare
          at timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - interval '${months} months';
        begin
          execute format('create table %I partition of ${table} for values from (%L) to (%L)',
            '${table}_' || to_char(at at time zone 'UTC', 'YYYY_MM'), id_bound(at), id_bound(at + interval '1 month'));
        end $$`);
    }
  }
}

/** Tables that grow with the messages: keys of all those that came before, and tombstones long used. */
async function fillSmallTables(admin: pg.Client, rows: number): Promise<void> {
  await admin.query(
    `insert into network_keys select md5('key ' || n)::uuid, null, null, 0 from generate_series(1, ${rows}) n`,
  );
  await admin.query(`insert into reversal_tombstones (tombstone_id, partner_id, card_id, used_by)
    select md5('tombstone ' || n)::uuid, 1, n, md5('user ' || n)::uuid from generate_series(1, 20000) n`);
}

/** From its next connection on, every statement of the engine leaves its plan in the server's log. */
async function logPlans(admin: pg.Client, product: Product): Promise<void> {
  await admin.query(`
    alter role cardloom_engine set session_preload_libraries = 'auto_explain';
    alter role cardloom_engine set auto_explain.log_min_duration = 0;
    alter role cardloom_engine set auto_explain.log_analyze = on;
    alter role cardloom_engine set auto_explain.log_timing = off;
    alter role cardloom_engine set auto_explain.log_format = 'json';`);
  truncateSync(join(product.dataDir, 'postgres.log'));
  const [api] = product.apis;
  if (api === undefined) throw new Error('there is no API');
  process.kill(api.pid() ?? 0, 'SIGKILL');
  await sleep(100);
  while (api.state() !== 'ready') await sleep(50);
}

/** Purchases with their repeats, reversals, clearing and refunds; also of what was never authorized. */
async function sendEveryKind(product: Product, cards: number): Promise<void> {
  const { certificate, key } = product.certificates.of.processor;
  const context = createSecureContext({
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca: readFileSync(product.certificates.ca),
  });
  const [port] = product.ports;
  const caller = async (): Promise<void> => {
    const connection = await openConnection(port as number, context);
    const send = (path: string, body: object): Promise<Reply | null> =>
      new Promise((resolve) => connection.send(httpRequest(path, JSON.stringify(body)), resolve));
    for (let at = 0; at < MESSAGES / CONNECTIONS; at += 1) {
      const card = {
        processorCardId: `plan-${randomInt(1, cards + 1)}`,
        cardId: 0,
        balanceId: '',
        customerId: 0,
      };
      const purchase = aPurchase(card, 1_00);
      await accepted(await send('authorizations', purchase));
      await accepted(await send('authorizations', purchase));
      if (at % 3 === 0) await accepted(await send('reversals', aReversal(purchase)));
      if (at % 3 === 1) await accepted(await send('clearings', aRecord(purchase, 1_00)));
      if (at % 3 === 1)
        await accepted(await send('clearings', aRecord(purchase, 50, { recordType: 'REFUND' })));
      if (at % 7 === 0) await accepted(await send('reversals', aReversal(aPurchase(card, 2_00))));
      if (at % 7 === 1) await accepted(await send('clearings', aRecord(aPurchase(card, 3_00), 3_00)));
    }
    connection.end();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, caller));
}

async function accepted(reply: Reply | null): Promise<void> {
  if (reply?.status === 200) return;
  throw new Error(
    `a message was not taken: ${reply?.status ?? 'connection lost'} ${reply?.body.slice(0, 300) ?? ''}`,
  );
}

async function bigTables(admin: pg.Client): Promise<BigTables> {
  const { rows } = await admin.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
      and reltuples > ${BIG}`,
  );
  const { rows: old } = await admin.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where c.relkind = 'r' and right(c.relname, 7) < to_char(now() - interval '${OLDEST_DAYS} days', 'YYYY_MM')`,
  );
  return { big: new Set(rows.map((one) => one.name)), old: new Set(old.map((one) => one.name)) };
}
