import { randomUUID } from 'node:crypto';
import type { Authorizer } from '../../activities/authorization/authorizer.ts';
import { NO_LIMITS } from '../../domain/limit.ts';
import type { Programme } from '../../db/partners.ts';
import { aCall, type CardTraffic, read, type TestCard } from './card-traffic.ts';
import { type Action, scenarioMessages } from './scenario-messages.ts';
import type { ScenarioHead, ScenarioWorld } from './scenario-table.ts';

/** A world of one card in a programme of its own, moved through the lanes on a real database. */
export async function openLaneWorld(
  traffic: CardTraffic,
  authorizer: Authorizer,
  head: ScenarioHead,
): Promise<ScenarioWorld> {
  const deposited = head.kind === 'B' ? head.deposit : 1_000_000_000;
  const programme = await traffic.programme({
    funding: head.kind === 'A' ? 'credit' : 'deposit',
    prefund: deposited,
    allowPartialApproval: head.partial,
  });
  const card = await traffic.card(programme, head.posted);
  if (head.daily !== null) await limitDaily(traffic, card, head.daily);
  return laneWorldOf(traffic, authorizer, programme, card);
}

async function limitDaily({ owner }: CardTraffic, card: TestCard, amountMinor: number): Promise<void> {
  const limits = [{ timeUnit: 'daily', type: 'general', amountMinor }] as const;
  await owner
    .updateTable('card_states')
    .set({ limits: JSON.stringify({ ...NO_LIMITS, limits }) })
    .where('card_id', '=', card.cardId)
    .execute();
}

/** The world of a card that is there. */
export function laneWorldOf(
  traffic: CardTraffic,
  authorizer: Authorizer,
  programme: Programme,
  card: TestCard,
): ScenarioWorld {
  const { engine, owner } = traffic;
  const next = scenarioMessages(card);

  async function act(action: Action): Promise<string[]> {
    switch (action.kind) {
      case 'authorize': {
        const answer = read(await authorizer.authorize(action.message, aCall()));
        const { result, description, reason, approvedAmount, availableAmount } = answer;
        const amounts = [`approved ${approvedAmount}`, `available ${availableAmount}`];
        return [result, description, reason ?? '', ...amounts, ...(await wordsOf(answer.id))];
      }
      case 'reverse': {
        const answer = read(await authorizer.reverse(action.message, aCall()));
        return [answer.result, answer.description, ...(await wordsOf(answer.id))];
      }
      case 'clear': {
        const { results } = await authorizer.clear(action.record, aCall());
        const [result] = results;
        return [result?.result ?? '', ...(await wordsOf(result?.id ?? null))];
      }
      case 'expire':
        return await expire();
      case 'topUp':
        return [
          (await traffic.topUp(programme, card.balanceId, action.amount)).posted ? 'APPROVED' : 'DECLINED',
        ];
      case 'collateralCredit':
        await traffic.prefund(programme, action.amount);
        return ['APPROVED'];
    }
  }

  /** Ends what is due: their times are set back, because other scenarios share the database's clock. */
  async function expire(): Promise<string[]> {
    const due = await owner
      .updateTable('transactions')
      .set({ expires_at: new Date(Date.now() - 1_000) })
      .where('card_id', '=', card.cardId)
      .where('expires_at', 'is not', null)
      .returning('id')
      .execute();
    const words: string[] = [];
    for (const { id: transactionId } of due) {
      await authorizer.release({
        transactionId,
        processorCardId: card.processorCardId,
        cause: 'expiry',
        amount: null,
        note: null,
        requestId: randomUUID(),
        actor: 'SYSTEM:expiry',
      });
      words.push(...(await wordsOf(transactionId)));
    }
    return words;
  }

  async function wordsOf(id: string | null): Promise<string[]> {
    if (id === null) return [];
    const { state, flags, refunded } = await engine
      .selectFrom('transactions')
      .select(['state', 'flags', 'refunded'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const exceptions = await engine
      .selectFrom('exceptions')
      .select('kind')
      .where('transaction_id', '=', id)
      .execute();
    return [state, ...(flags ?? []), `refundedAmount ${refunded}`, ...exceptions.map(({ kind }) => kind)];
  }

  return {
    act,
    async play(event) {
      const words = await act(next(event));
      const { consumed } = await engine
        .selectFrom('card_states')
        .select('consumed')
        .where('card_id', '=', card.cardId)
        .executeTakeFirstOrThrow();
      return [...words, `consumed ${consumed[0]}`];
    },
    async values() {
      const { posted, held } = await traffic.balance(card);
      const partner = await engine
        .selectFrom('partner_balances')
        .select(['kind', 'posted'])
        .where('programme_id', '=', programme.programmeId)
        .execute();
      const value = (kind: string): number | null => partner.find((one) => one.kind === kind)?.posted ?? null;
      return { posted, held, deposit: value('deposit'), company: value('company') ?? 0 };
    },
  };
}
