import { randomUUID } from 'node:crypto';
import pg from 'pg';

/**
 * What one writes first: every request is one transaction that does its statements one after the other. It leaves
 * the same effects as an authorization of the product (key, transaction, event, two transfers, outbox row; balance,
 * deposit and card state changed), is called in process, without HTTP and TLS, and its deposits are spread over 64
 * rows: all three are in its favour.
 */
export interface NaiveBaseline {
  /** Authorizations a second, `concurrency` at a time. */
  run(concurrency: number, seconds: number): Promise<number>;
  end(): Promise<void>;
}

const CONNECTIONS = 16;
const DEPOSITS = 64;

const SCHEMA = `
  create table deposits (id int primary key, posted bigint not null check (posted >= 0), version bigint not null);
  create table accounts (id bigint primary key, posted bigint not null, held bigint not null,
    version bigint not null, check (posted - held >= 0));
  create table cards (token text primary key, account_id bigint not null, deposit_id int not null,
    status text not null, daily bigint not null, weekly bigint not null, monthly bigint not null);
  create table transactions (id uuid primary key, token text not null, account_id bigint not null,
    amount bigint not null, state text not null, result text not null, held bigint not null,
    network_reference text, rrn text, data jsonb not null, expires_at timestamptz,
    created_at timestamptz not null default now());
  create index on transactions (token, id);
  create index on transactions (network_reference);
  create table events (transaction_id uuid not null, seq int not null, answer text not null,
    created_at timestamptz not null default now(), primary key (transaction_id, seq));
  create table transfers (transaction_id uuid not null, seq int not null, debit bigint not null,
    credit bigint not null, amount bigint not null, state text not null, primary key (transaction_id, seq));
  create table network_keys (key text primary key, transaction_id uuid not null);
  create table outbox (id bigint generated always as identity primary key, transaction_id uuid not null);`;

/** Makes the tables in the empty database of `url` and fills them with `cards` cards. */
export async function openNaiveBaseline(url: string, cards: number): Promise<NaiveBaseline> {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  await pool.query(SCHEMA);
  await pool.query(`insert into deposits select n, 1000000000000, 0 from generate_series(1, ${DEPOSITS}) n`);
  await pool.query(`insert into accounts select n, 10000000, 0, 0 from generate_series(1, ${cards}) n`);
  await pool.query(`insert into cards select 'card-' || n, n, 1 + n % ${DEPOSITS}, 'ACTIVE', 0, 0, 0
    from generate_series(1, ${cards}) n`);
  await pool.query('vacuum analyze');
  return {
    async run(concurrency, seconds) {
      const startedAt = performance.now();
      const endAt = startedAt + seconds * 1_000;
      let made = 0;
      const caller = async (): Promise<void> => {
        while (performance.now() < endAt) {
          await authorize(pool, `card-${1 + Math.floor(Math.random() * cards)}`, 100);
          made += 1;
        }
      };
      await Promise.all(Array.from({ length: concurrency }, caller));
      return made / ((performance.now() - startedAt) / 1_000);
    },
    end: () => pool.end(),
  };
}

const LIMIT = 5_000_000;

async function authorize(pool: pg.Pool, token: string, amount: number): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const answer = await decide(client, token, amount);
    await client.query('commit');
    return answer;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

/** Statements are prepared: a baseline that also parses each of them would be too easy to beat. */
const query = async (client: pg.ClientBase, text: string, values: unknown[]) =>
  (await client.query<Record<string, string>>({ name: text.slice(0, 60), text, values })).rows;

async function decide(client: pg.ClientBase, token: string, amount: number): Promise<string> {
  const key = randomUUID();
  const [known] = await query(client, 'select transaction_id from network_keys where key = $1', [key]);
  if (known !== undefined) return String(known['transaction_id']);
  const [card] = await query(client, 'select * from cards where token = $1 for update', [token]);
  if (card?.['status'] !== 'ACTIVE') return 'CARD_NOT_FOUND';
  const [account] = await query(client, 'select * from accounts where id = $1 for update', [
    card['account_id'],
  ]);
  const [deposit] = await query(client, 'select * from deposits where id = $1 for update', [
    card['deposit_id'],
  ]);
  if (account === undefined || deposit === undefined) throw new Error('a card without its account');
  if (Number(card['daily']) + amount > LIMIT) return 'EXCEEDS_WITHDRAWAL_LIMIT';
  if (Number(account['posted']) - Number(account['held']) < amount) return 'INSUFFICIENT_FUNDS';
  if (Number(deposit['posted']) < amount) return 'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE';
  const id = randomUUID();
  const data = JSON.stringify({ mcc: '5942', merchantIdentifier: '003060300000005', captureMode: 'nfc' });
  const answer = JSON.stringify({ id, result: 'APPROVED', approvedAmount: amount, currency: 'EUR' });
  await query(client, 'insert into network_keys values ($1, $2)', [key, id]);
  await query(
    client,
    `insert into transactions (id, token, account_id, amount, state, result, held, network_reference, rrn, data,
      expires_at) values ($1, $2, $3, $4, 'AUTHORIZED', 'APPROVED', $4, $5, $5, $6, now() + interval '7 days')`,
    [id, token, account['id'], amount, key, data],
  );
  await query(client, 'insert into events (transaction_id, seq, answer) values ($1, 1, $2)', [id, answer]);
  await query(client, "insert into transfers values ($1, 1, $2, 0, $3, 'PENDING')", [
    id,
    account['id'],
    amount,
  ]);
  await query(client, "insert into transfers values ($1, 2, $2, 0, $3, 'POSTED')", [
    id,
    deposit['id'],
    amount,
  ]);
  await query(client, 'insert into outbox (transaction_id) values ($1)', [id]);
  await query(client, 'update accounts set held = held + $2, version = version + 1 where id = $1', [
    account['id'],
    amount,
  ]);
  await query(client, 'update deposits set posted = posted - $2, version = version + 1 where id = $1', [
    deposit['id'],
    amount,
  ]);
  await query(
    client,
    'update cards set daily = daily + $2, weekly = weekly + $2, monthly = monthly + $2 where token = $1',
    [token, amount],
  );
  return answer;
}
