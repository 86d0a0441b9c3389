import type pg from 'pg';
import { decide, declineAsFault, duplicateKeyConflict } from '../../domain/authorization.ts';
import type { NetworkAnswer, Outcome } from '../../domain/decision.ts';
import { decideClearing, quarantineAsFault } from '../../domain/presentment.ts';
import type { RecordResult } from '../../domain/presentment-record.ts';
import { decideRelease, type ReleaseResult } from '../../domain/release.ts';
import { decideReversal, leavesTombstone } from '../../domain/reversal.ts';
import { type Failpoint, failpoint } from '../../db/failpoints.ts';
import { newApprovalCode, newIdAt } from '../../db/ids.ts';
import type { Item } from './commands.ts';
import type { Configuration } from './configuration.ts';
import {
  allOf,
  begin,
  candidatesOf,
  isClearedFirst,
  type KeyRow,
  knownKeys,
  lockCards,
  lockLifecycles,
  looksBack,
  needNoReference,
  storedAnswers,
} from './load.ts';
import { completeCards, loadPartnerBalances } from './load-cards.ts';
import {
  applyEffects,
  authorizationView,
  type LoadedCard,
  referencingView,
  releaseView,
  rememberNewest,
  type WorkingCopy,
} from './working-copy.ts';
import { writeAndCommit, writesOf } from './write.ts';
import { collect, emptyWriteSet } from './write-set.ts';

export interface BatchOptions {
  readonly lane: number;
  /** One reversal that found nothing, under the exclusive lock of its card: it may leave a tombstone. */
  readonly alone?: boolean;
  /** One authorization or record that cannot be decided or written: declined, set aside (reason INTERNAL). */
  readonly fault?: boolean;
  /** A purchase may be late for its clearing: transactions are locked before cards, as in every other batch. */
  readonly ordered?: boolean;
  /** Called for what somebody should see in the log of security events. */
  readonly onConflict: (item: Item) => void;
  readonly onUnknownCard: (item: Item) => void;
  readonly onFault: (item: Item, error: unknown) => void;
}

export interface Answered {
  /** JSON text, byte for byte what is stored for repeats. */
  readonly answer: string;
  readonly replayed: boolean;
}

/** Writing and committing take about as long. */
const COMMIT_MS = 20;

/** `alone`: this reversal found nothing and has to be run again by itself. `late`: nobody waits for it any more. */
export type BatchResult = Answered | 'alone' | 'late';

/** One item broke off after the copy may have been changed: the batch is given up, each runs by itself. */
export class ItemFault extends Error {
  override readonly name = 'ItemFault';
}

/**
 * Decides a batch in one database transaction (authorization 6): known keys, locks in the one order of all
 * writers, `decide` for each item in order on a working copy, set-based writes, commit. Answers in the order
 * of `items`. Throws database errors and `ItemFault` with nothing committed, and `CommitUnknown`.
 */
export async function decideBatch(
  client: pg.ClientBase,
  configuration: Configuration,
  items: readonly Item[],
  options: BatchOptions,
): Promise<BatchResult[]> {
  const startedAtMs = Date.now();
  const alone = options.alone === true;
  const cardNames = distinct(items.map((item) => item.processorCardId));
  // Without references there is no transaction to be locked first: one round trip less.
  const hurried = options.ordered !== true && needNoReference(items);
  const [now, known, late, early] = await allOf([
    begin(client, cardsToLock(items, alone)),
    knownKeys(client, items),
    hurried ? isClearedFirst(client, items) : Promise.resolve(false),
    hurried ? lockCards(client, cardNames) : Promise.resolve(null),
  ]);
  if (late) {
    await client.query('rollback');
    return await decideBatch(client, configuration, items, { ...options, ordered: true });
  }
  const results: (BatchResult | undefined)[] = await answerRepeats(client, items, known, options);
  const open = items.flatMap((item, at) => (results[at] === undefined ? [{ item, at }] : []));
  const lane = { lane: options.lane, batchSize: items.length, startedAtMs };

  const candidates = hurried
    ? NO_CANDIDATES
    : await candidatesOf(
        client,
        open.map(({ item }) => item),
        now.getTime(),
      );
  const lifecycles = await lockLifecycles(
    client,
    distinct([...[...candidates.values()].flat(), ...released(items)]),
  );
  const locked = early ?? (await lockCards(client, cardNames));
  const cards = await completeCards(client, configuration, locked);
  const partnerBalances = await loadPartnerBalances(
    client,
    configuration,
    cards,
    open.map(({ item }) => item),
  );
  const copy: WorkingCopy = {
    now,
    cards,
    balances: new Map([...cards.values()].map((card) => [card.balance.id, card.balance])),
    partnerBalances,
    lifecycles: new Map(lifecycles),
    made: new Map(),
  };

  const set = emptyWriteSet(now);
  const decideOne = ({ item, at }: (typeof open)[number], place: number): void => {
    // Waiting for locks takes time: what nobody would hear of is better not done.
    if (item.deadlineAtMs - Date.now() < COMMIT_MS) {
      results[at] = 'late';
      return;
    }
    const earlier = set.keys.find(
      (key) => item.kind === 'presentment' && item.keys.some(({ nk }) => nk === key.nk),
    );
    if (earlier !== undefined) {
      results[at] = duplicateRecord(item, earlier.transactionId);
      return;
    }
    item.progress.decided = true;
    const card = cards.get(item.processorCardId) ?? null;
    if (card === null) options.onUnknownCard(item);
    const outcome = outcomeOf(copy, card, item, candidates.get(place) ?? [], options);
    if (outcome === 'alone') {
      item.progress.decided = false;
      results[at] = 'alone';
      return;
    }
    const applied = card === null ? NOTHING_APPLIED : applyEffects(copy, card, outcome.effects);
    const answer = JSON.stringify(outcome.answer);
    collect(set, item, card, outcome.effects, answer, applied, lane);
    results[at] = { answer, replayed: false };
  };
  const writes = orItemFault(() => {
    open.forEach(decideOne);
    return writesOf(copy, set);
  });
  if (set.tried) await failpoint('auth.after_pin_check');
  await failpoint(BEFORE_COMMIT[items[0]?.kind ?? 'authorization']);
  await writeAndCommit(client, writes);
  await failpoint('auth.before_answer');
  return results.map((result) => {
    if (result === undefined) throw new Error('an item of a batch was left without an answer');
    return result;
  });
}

/** What is thrown between reading and writing comes of an item, not of the database. */
function orItemFault<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new ItemFault('a decision broke off', { cause: error });
  }
}

/**
 * Cards to lock by name, true = alone. A purchase shares its card; a record, an advice and an increment look for a
 * purchase that may be under way, and have to wait until it stands or is gone.
 */
function cardsToLock(items: readonly Item[], alone: boolean): Map<string, boolean> {
  const cards = new Map<string, boolean>();
  for (const item of items) {
    const needsAll = alone || item.kind === 'presentment' || looksBack(item);
    if (!needsAll && item.kind !== 'authorization') continue;
    cards.set(item.processorCardId, needsAll || cards.get(item.processorCardId) === true);
  }
  return cards;
}

const BEFORE_COMMIT: Readonly<Record<Item['kind'], Failpoint>> = {
  authorization: 'auth.before_commit',
  reversal: 'auth.before_commit',
  presentment: 'clearing.in_batch',
  release: 'sweeper.in_batch',
};

const NOTHING_HELD = JSON.stringify({ result: 'NOTHING_HELD' } satisfies ReleaseResult);

const NO_CANDIDATES: ReadonlyMap<number, readonly string[]> = new Map();
const NOTHING_APPLIED = { transfers: [], consumed: null };

const released = (items: readonly Item[]): string[] =>
  items.flatMap((item) => (item.kind === 'release' ? [item.transactionId] : []));

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Answers of items whose key is known: the stored bytes, or the conflict; undefined for all others. */
async function answerRepeats(
  client: pg.ClientBase,
  items: readonly Item[],
  keys: readonly KeyRow[],
  options: BatchOptions,
): Promise<(BatchResult | undefined)[]> {
  if (keys.length === 0) return items.map(() => undefined);
  const known = new Map(keys.map((key) => [key.nk, key]));
  const answers = await storedAnswers(client, keys);
  return items.map((item) => {
    const key = item.keys.map(({ nk }) => known.get(nk)).find((one) => one !== undefined);
    return key === undefined ? undefined : repeatOf(item, key, answers, options);
  });
}

/** The answer that a repeat of `item` gets, given what is stored under its key. */
export function repeatOf(
  item: Item,
  key: KeyRow,
  answers: ReadonlyMap<string, string>,
  options: Pick<BatchOptions, 'onConflict'>,
): Answered {
  if (item.kind === 'presentment') return duplicateRecord(item, key.transaction_id);
  if (key.fingerprint !== item.keys[0]?.fingerprint) {
    options.onConflict(item);
    return conflictOf(item);
  }
  const stored = answers.get(`${key.transaction_id}/${key.seq}`);
  if (stored === undefined && item.kind === 'release') return { answer: NOTHING_HELD, replayed: true };
  // Nothing is stored for a card we do not know: the answer follows from the message alone.
  return { answer: stored ?? JSON.stringify(unknownCard(item).answer), replayed: true };
}

/** The answer to a known key with other content. */
export const conflictOf = ({ command }: Item): Answered => {
  const currency = 'currency' in command ? command.currency : null;
  return { answer: JSON.stringify(duplicateKeyConflict(currency ?? '')), replayed: false };
};

function duplicateRecord(item: Item, id: string | null): Answered {
  const recordId = item.kind === 'presentment' ? item.command.recordId : '';
  const result: RecordResult = { recordId, result: 'DUPLICATE', id, exception: null };
  return { answer: JSON.stringify(result), replayed: true };
}

type Answer = NetworkAnswer | RecordResult | ReleaseResult;

const NO_IDS = { transactionId: '', approvalCode: '' };

function unknownCard(item: Item): Outcome<Answer> {
  switch (item.kind) {
    case 'authorization':
      return decide(null, item.command, 0, NO_IDS);
    case 'reversal':
      return decideReversal(null, item.command, 0, '');
    case 'presentment':
      return decideClearing(null, item.command, 0, '');
    case 'release':
      throw new Error('a hold is released on a card that is not there');
  }
}

function outcomeOf(
  copy: WorkingCopy,
  card: LoadedCard | null,
  item: Item,
  candidateIds: readonly string[],
  options: BatchOptions,
): Outcome<Answer> | 'alone' {
  if (card === null) return unknownCard(item);
  const transactionId = newIdAt(copy.now);
  const nowMs = copy.now.getTime();
  switch (item.kind) {
    case 'authorization':
      return authorize(copy, card, item, candidateIds, options, transactionId);
    case 'reversal': {
      const view = referencingView(copy, card, candidateIds);
      const mayStayUnmatched = options.alone === true;
      if (!mayStayUnmatched && leavesTombstone(item.command, view.candidates)) return 'alone';
      return decideReversal(view, item.command, nowMs, transactionId);
    }
    case 'presentment':
      if (options.fault === true) return quarantineAsFault(item.command);
      return decideClearing(referencingView(copy, card, candidateIds), item.command, nowMs, transactionId);
    case 'release':
      return decideRelease(releaseView(copy, card, item.transactionId), item.command, nowMs);
  }
}

function authorize(
  copy: WorkingCopy,
  card: LoadedCard,
  item: Extract<Item, { kind: 'authorization' }>,
  candidateIds: readonly string[],
  options: BatchOptions,
  transactionId: string,
): Outcome<NetworkAnswer> {
  const ids = { transactionId, approvalCode: newApprovalCode() };
  const view = authorizationView(copy, card, item.command, candidateIds);
  // What could not be stored may be in the free text: the record of the fault goes without it.
  const bare = { ...item.command, description: '', transactionData: {} };
  if (options.fault === true) return declineAsFault(view, bare, ids);
  try {
    const outcome = decide(view, item.command, copy.now.getTime(), ids);
    if (item.command.kind === 'AUTHORIZATION' && outcome.answer.result === 'APPROVED') {
      rememberNewest(copy, card, item.command);
    }
    return outcome;
  } catch (error) {
    options.onFault(item, error);
    return declineAsFault(view, bare, ids);
  }
}
