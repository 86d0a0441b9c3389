import type pg from 'pg';
import type { Item } from './commands.ts';
import type { Configuration } from './configuration.ts';
import { type Counted, countedOf } from './consumption.ts';
import {
  type CardRow,
  type CustomerLimitsRow,
  type LoadedCards,
  lockCustomerLimits,
  lockPartnerBalances,
  type OwnerRow,
  type PartnerBalanceKey,
  tombstonesOf,
} from './load.ts';
import {
  type GuardedAccount,
  guardedBalance,
  guardedPartnerBalance,
  type LoadedCard,
} from './working-copy.ts';

/** Adds to locked cards what is known about them. */
export async function completeCards(
  client: pg.ClientBase,
  configuration: Configuration,
  { cards: rows, owners }: LoadedCards,
): Promise<Map<string, LoadedCard>> {
  const ownerOf = new Map(owners.map((owner) => [owner.processor_card_id, owner]));
  const marked = rows.filter((row) => ownerOf.get(row.processor_card_id)?.has_tombstone === true);
  const tombstones = await tombstonesOf(
    client,
    marked.map((row) => row.card_id),
  );
  const limited = owners.filter((owner) => owner.customer_limited).map((owner) => owner.processor_card_id);
  const customers = await customersOf(client, rows, limited);
  const balances = new Map<string, GuardedAccount>();
  const cards = new Map<string, LoadedCard>();
  for (const row of rows) {
    const owner = ownerOf.get(row.processor_card_id);
    if (owner === undefined) throw new Error('a card was read without its owner');
    const balance = balances.get(row.balance_id) ?? guardedBalance(row);
    balances.set(row.balance_id, balance);
    const known = await configured(configuration, row, owner);
    const { timezone } = known.programme;
    cards.set(row.processor_card_id, {
      ...known,
      row,
      owner,
      balance,
      deposit: null,
      company: null,
      tombstones: tombstones.filter((one) => one.card_id === row.card_id),
      pinTriesLeft: row.pin_tries_left,
      cvcTriesLeft: row.cvc_tries_left,
      locks: row.locks,
      counted: countedOf(row, timezone),
      customer: row.customer_id === null ? null : countedCustomer(customers, row.customer_id, timezone),
      newest:
        row.newest_fingerprint === null || row.newest_at === null
          ? null
          : { fingerprint: row.newest_fingerprint, atMs: row.newest_at.getTime() },
      changed: false,
    });
  }
  return cards;
}

type Customers = Map<number, { readonly row: CustomerLimitsRow; counted: Counted | null }>;

async function customersOf(
  client: pg.ClientBase,
  rows: readonly CardRow[],
  limited: readonly string[],
): Promise<Customers> {
  if (limited.length === 0) return new Map();
  const ids = rows.flatMap((row) =>
    row.customer_id !== null && limited.includes(row.processor_card_id) ? [row.customer_id] : [],
  );
  const found = await lockCustomerLimits(client, [...new Set(ids)]);
  return new Map(found.map((row) => [row.customer_id, { row, counted: null }]));
}

/** One object for all cards of a customer. */
function countedCustomer(customers: Customers, customerId: number, zone: string): Counted | null {
  const customer = customers.get(customerId);
  if (customer === undefined) return null;
  customer.counted ??= countedOf(customer.row, zone);
  return customer.counted;
}

async function configured(configuration: Configuration, row: CardRow, owner: OwnerRow) {
  const scope = { partnerId: row.partner_id, programmeId: row.programme_id, currency: row.currency };
  return {
    programme: await configuration.programme(row.programme_id, owner.programme_version),
    product: await configuration.product(row.product_id, owner.product_version),
    accounts: await configuration.accounts(scope),
  };
}

/** Locks the partner balances that the decisions may move, and gives each card its own. */
export async function loadPartnerBalances(
  client: pg.ClientBase,
  configuration: Configuration,
  cards: ReadonlyMap<string, LoadedCard>,
  items: readonly Item[],
): Promise<Map<string, GuardedAccount>> {
  const keys = new Map<string, PartnerBalanceKey>();
  for (const item of items) {
    const card = cards.get(item.processorCardId);
    if (card === undefined) continue;
    const { partner_id: partnerId, programme_id: programmeId, currency } = card.row;
    const scope = { programmeId, currency };
    if (card.programme.funding === 'deposit') {
      // What the network presents is posted whatever there is, so the deposit opens with it (authorization 13).
      if (item.kind === 'presentment') {
        const enforced = card.programme.enforcePartnerBalance;
        await configuration.ensurePartnerBalance({ ...scope, partnerId, kind: 'deposit', enforced });
      }
      keys.set(keyOf(scope, 'deposit'), { ...scope, kind: 'deposit' });
    }
    if (item.kind === 'presentment' && (item.command.interchangeAmount ?? 0) !== 0) {
      await configuration.ensurePartnerBalance({ ...scope, partnerId, kind: 'company', enforced: false });
      keys.set(keyOf(scope, 'company'), { ...scope, kind: 'company' });
    }
  }
  const rows = await lockPartnerBalances(client, [...keys.values()]);
  const accounts = new Map(
    rows.map((row) => [
      keyOf({ programmeId: row.programme_id, currency: row.currency }, row.kind),
      guardedPartnerBalance(row),
    ]),
  );
  for (const card of cards.values()) {
    const scope = { programmeId: card.row.programme_id, currency: card.row.currency };
    card.deposit = accounts.get(keyOf(scope, 'deposit')) ?? null;
    card.company = accounts.get(keyOf(scope, 'company')) ?? null;
  }
  return accounts;
}

const keyOf = (scope: { programmeId: number; currency: string }, kind: string): string =>
  `${scope.programmeId}/${kind}/${scope.currency}`;
