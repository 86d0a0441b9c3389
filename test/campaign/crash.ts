import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Kysely } from 'kysely';
import type { NetworkAnswer } from '../../domain/decision.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import { seedCards, seedProgrammes } from '../bench/seed.ts';
import { aPurchase } from '../support/card-traffic.ts';
import { type Product, startProduct } from '../support/product.ts';
import { type Abilities, anIncrement, tellStory } from './card-story.ts';
import { findCrashFaults } from './crash-check.ts';
import { type Kills, killAtRandom } from './killer.ts';
import type { PurchaseModel } from './ledger-model.ts';
import { createProcessorLine, type LineCounts } from './processor-line.ts';

export interface CrashOptions {
  readonly kills: number;
  /** Text of FAILPOINTS for the API processes; null = none. */
  readonly failpoints: string | null;
  readonly say: (line: string) => void;
}

export interface CrashReport {
  readonly kills: Kills;
  readonly purchases: number;
  readonly approved: number;
  readonly messages: number;
  readonly repeats: number;
  readonly longestMs: number;
  readonly seconds: number;
  /** What must not be: one line each. */
  readonly faults: readonly string[];
}

const CALLERS = 10;
const CARDS_OF_A_CALLER = 4;
const CARDS_PER_BALANCE = 8;
const PROGRAMMES = 2;
const APIS = 2;
/** "Nothing stuck": every message is answered by then, however many kills fall on it. */
const GIVE_UP_MS = 120_000;

/**
 * The crash campaign (goals R1): under constant load of purchases, reversals and clearing, with repeats of all that
 * is not answered, API processes, backends and the PostgreSQL server are killed at random. Afterwards the books must
 * show exactly what the answers told.
 */
export async function runCrashCampaign(options: CrashOptions): Promise<CrashReport> {
  const startedAt = performance.now();
  const product = await startProduct({
    apis: APIS,
    environment: {
      LOG_LEVEL: 'warn',
      ...(options.failpoints === null ? {} : { FAILPOINTS: options.failpoints }),
    },
  });
  try {
    const owner = await seeded(product);
    try {
      return {
        ...(await underLoad(product, owner, options)),
        seconds: (performance.now() - startedAt) / 1_000,
      };
    } finally {
      await owner.destroy();
    }
  } finally {
    await product.stop();
  }
}

async function seeded(product: Product): Promise<Kysely<Database>> {
  const url = new URL(product.urls.superuser);
  url.pathname = '/cardloom';
  const owner = createDatabase(createPool({ url: url.href, max: 2, name: 'campaign' }));
  const cards = CALLERS * CARDS_OF_A_CALLER;
  const programmes = await seedProgrammes(owner, PROGRAMMES);
  await seedCards(owner, {
    programmes,
    prefix: 'crash-',
    cards,
    cardsPerBalance: CARDS_PER_BALANCE,
    topUps: 1,
  });
  return owner;
}

async function underLoad(
  product: Product,
  owner: Kysely<Database>,
  { kills: wanted, say }: CrashOptions,
): Promise<Omit<CrashReport, 'seconds'>> {
  const counts: LineCounts = { messages: 0, repeats: 0, longestMs: 0 };
  const models: PurchaseModel[] = [];
  const faults: string[] = [];
  const can = await abilitiesOf(product, counts, models);
  say(
    `under load: ${CALLERS} callers, increments ${can.increments ? 'too' : 'are not part of this release'}`,
  );
  let over = false;
  const caller = async (number: number): Promise<void> => {
    const line = createProcessorLine(product, counts, GIVE_UP_MS);
    for (let at = 0; !over; at += 1) {
      const card = 1 + number * CARDS_OF_A_CALLER + (at % CARDS_OF_A_CALLER);
      models.push(await tellStory(line, `crash-${card}`, can));
    }
  };
  const callers = Array.from({ length: CALLERS }, (_one, number) =>
    caller(number).catch((error: unknown) => {
      faults.push(error instanceof Error ? error.message : 'a caller broke off');
    }),
  );
  const kills = await killAtRandom(product, wanted);
  await sleep(500);
  over = true;
  await Promise.all(callers);
  say(`${wanted} kills are over; ${models.length} purchases to look at`);
  faults.push(...(await findCrashFaults(owner, models)));
  const approved = models.filter((one) => one.approved).length;
  return { ...counts, kills, purchases: models.length, approved, faults };
}

/** Asks by trying: an increment that is declined is one that this release does not know. */
async function abilitiesOf(
  product: Product,
  counts: LineCounts,
  models: PurchaseModel[],
): Promise<Abilities> {
  const line = createProcessorLine(product, counts, GIVE_UP_MS);
  const card = { processorCardId: 'crash-1', cardId: 0, balanceId: '', customerId: 0 };
  const purchase = aPurchase(card, 1_00);
  const first = JSON.parse(await line.send('authorizations', purchase)) as NetworkAnswer;
  const answer = JSON.parse(await line.send('authorizations', anIncrement(purchase, 50))) as NetworkAnswer;
  const increments = answer.result === 'APPROVED';
  models.push({
    id: first.id ?? '',
    approved: true,
    authorized: increments ? 1_50 : 1_00,
    held: increments ? 1_50 : 1_00,
    cleared: 0,
    reversed: 0,
    refunded: 0,
    state: 'AUTHORIZED',
    events: increments ? 2 : 1,
  });
  return { increments };
}

/** `npm run campaign crash`: the whole campaign from a command line; exit code 1 when anything is wrong. */
export async function crashCommand(args: readonly string[], say: (line: string) => void): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { kills: { type: 'string', default: '50' }, failpoints: { type: 'string' } },
  });
  const { faults, ...report } = await runCrashCampaign({
    kills: Number(values.kills),
    failpoints: values.failpoints ?? null,
    say,
  });
  for (const fault of faults) say(`FAULT ${fault}`);
  say(JSON.stringify({ ...report, faults: faults.length }));
  return faults.length === 0 ? 0 : 1;
}
