import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Instructed, ProcessorClient } from '../../activities/processor/client.ts';
import { createCardInstructionActivities } from '../../activities/processor/card-instructions.ts';
import { atomically } from '../../db/atomically.ts';
import { lockCard, unlockCard } from '../../db/card-locks.ts';
import type { Programme } from '../../db/partners.ts';
import { type CardTraffic, openCardTraffic, type TestCard } from '../support/card-traffic.ts';
import { engineCaller } from '../support/customers.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let programme: Programme;
let card: TestCard;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  programme = await traffic.programme();
});
afterAll(async () => {
  await traffic.end();
  await database.drop();
});

interface Said {
  readonly call: string;
  readonly key: string;
}

/** A processor that answers as told, and what it was told itself. */
function aProcessor(...answers: Instructed[]) {
  const said: Said[] = [];
  const answer = async (): Promise<Instructed> => answers.shift() ?? { outcome: 'DONE' };
  const processor: Pick<ProcessorClient, 'lock' | 'unlock'> = {
    lock: async (id, { code }, { idempotencyKey }) => {
      said.push({ call: `lock ${id} ${code}`, key: idempotencyKey });
      return await answer();
    },
    unlock: async (id, { codes, pinUnblock }, { idempotencyKey }) => {
      said.push({ call: `unlock ${id} ${codes.join()} ${pinUnblock}`, key: idempotencyKey });
      return await answer();
    },
  };
  const { sendNextInstruction } = createCardInstructionActivities({
    db: traffic.engine,
    processor: processor as ProcessorClient,
  });
  return { said, send: () => sendNextInstruction({ cardId: card.cardId }) };
}

const target = () => ({ cardId: card.cardId, programmeIds: [programme.programmeId] });
const lock = (code: number) =>
  atomically(traffic.engine, engineCaller, (trx) => lockCard(trx, target(), code, 'partner'));
const unlock = () => atomically(traffic.engine, engineCaller, (trx) => unlockCard(trx, target(), 'partner'));
const states = async () =>
  (
    await traffic.engine
      .selectFrom('processor_instructions')
      .selectAll()
      .where('card_id', '=', card.cardId)
      .orderBy('instruction_id')
      .execute()
  ).map((row) => `${row.kind} ${row.status} ${row.attempts} ${row.last_outcome}`);

describe('what the processor is told of a card', () => {
  it('is told in order, each once', async () => {
    card = await traffic.card(programme, 0);
    await lock(11);
    await unlock();
    const { said, send } = aProcessor();
    expect([await send(), await send(), await send()]).toEqual(['DONE', 'DONE', 'NONE']);
    const id = card.processorCardId;
    expect(said.map((one) => one.call)).toEqual([`lock ${id} 11`, `unlock ${id} 11 true`]);
    expect(await states()).toEqual(['LOCK DONE 1 DONE', 'UNLOCK DONE 1 DONE']);
  });

  it('goes again with the same key while the processor is silent', async () => {
    card = await traffic.card(programme, 0);
    await lock(3);
    const { said, send } = aProcessor({ outcome: 'UNKNOWN', retryAfterMs: 7_000 });
    await expect(send()).rejects.toMatchObject({ type: 'PROCESSOR_AWAY', nextRetryDelay: 7_000 });
    expect(await states()).toEqual(['LOCK WAITING 1 UNKNOWN']);
    expect(await send()).toBe('DONE');
    expect(new Set(said.map((one) => one.key)).size).toBe(1);
  });

  it('a lock is never given up; a refused unlock is over, and what follows goes on', async () => {
    card = await traffic.card(programme, 0);
    await lock(3);
    await unlock();
    await lock(1);
    const refused: Instructed = { outcome: 'REFUSED', title: 'LOCK_IRREVERSIBLE' };
    const { send } = aProcessor(refused, { outcome: 'DONE' }, refused);
    await expect(send()).rejects.toMatchObject({ type: 'PROCESSOR_AWAY' });
    expect([await send(), await send(), await send(), await send()]).toEqual([
      'DONE',
      'REFUSED',
      'DONE',
      'NONE',
    ]);
    expect(await states()).toEqual([
      'LOCK DONE 2 DONE',
      'UNLOCK REFUSED 1 LOCK_IRREVERSIBLE',
      'LOCK DONE 1 DONE',
    ]);
  });
});
