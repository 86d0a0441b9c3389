import { nowOf } from '../db/atomically.ts';
import { findBalance, listBalances, openBalance, requireBalanceOwner } from '../db/balances.ts';
import { listCards } from '../db/cards.ts';
import { readCustomer } from '../db/customers.ts';
import { wireState } from '../domain/card.ts';
import { Refusal } from '../domain/errors.ts';
import { todayOf } from './cards.ts';
import { readPage } from './pagination.ts';
import { programmeIds, programmeOf, type Reach } from './reach.ts';
import type { Answer, Call } from './route.ts';
import type { balanceListQuery } from './schemas/balance.ts';
import { toBalance, toBalanceCard } from './schemas/balance.ts';
import type { z } from './schemas/shared.ts';

// What the channels of partners and of users share of the calls on balances (money 1).

type BalanceCall = Call<Reach, unknown, unknown, unknown>;

const MOST_CARDS_SHOWN = 100;

/** Opens a balance for a verified user and answers it. Throws the refusals of onboarding 4. */
export const openBalanceOf = (call: BalanceCall, customerId: number, currency: string): Promise<Answer> =>
  call.once(async (trx) => {
    const customer = await readCustomer(trx, programmeIds(call.principal), customerId);
    const programme = programmeOf(call.principal, customer.programmeId);
    await requireBalanceOwner(trx, customerId, programme, currency);
    const owner = { customerId, corporationId: null };
    const balance = await openBalance(trx, { programme, ...owner, currency, automatic: false });
    return { status: 201, body: toBalance(balance, nowOf(trx)) };
  });

/** Answers a page of a user's balances. Throws `USER_NOT_FOUND`, `INVALID_CURSOR`. */
export async function listBalancesOf(
  call: BalanceCall,
  customerId: number,
  query: z.output<typeof balanceListQuery>,
): Promise<Answer> {
  const { limit, cursor, ...filters } = query;
  const ids = programmeIds(call.principal);
  const body = await call.atomically(async (trx) => {
    await readCustomer(trx, ids, customerId);
    return await readPage(
      call.services.vault,
      {
        principal: call.principal.reader,
        operation: 'listBalances',
        filters: { customerId, ...filters },
      },
      { limit, cursor },
      call.services.nowMs(),
      (before, most) => listBalances(trx, { programmeIds: ids, customerId, ...filters, before, limit: most }),
      (balance) => balance.balance_id,
      (balance) => toBalance(balance, nowOf(trx)),
    );
  });
  return { status: 200, body };
}

/** Answers a balance with its cards; with `customerId` only that user's. Throws `BALANCE_NOT_FOUND`. */
export async function showBalance(
  call: BalanceCall,
  { balanceId, customerId }: { readonly balanceId: string; readonly customerId?: number | undefined },
): Promise<Answer> {
  const ids = programmeIds(call.principal);
  const body = await call.atomically(async (trx) => {
    const balance = await findBalance(trx, balanceId, {
      programmeIds: ids,
      ...(customerId === undefined ? {} : { customerId }),
    });
    if (balance === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
    const cards = await listCards(trx, { programmeIds: ids, balanceId, limit: MOST_CARDS_SHOWN });
    const today = todayOf(trx);
    return {
      ...toBalance(balance, nowOf(trx)),
      cards: cards.map((card) =>
        toBalanceCard(card, wireState(card.base_state, card.expiry_date, card.locks, today)),
      ),
    };
  });
  return { status: 200, body };
}
