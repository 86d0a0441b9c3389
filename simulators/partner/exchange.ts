import { act } from './act.ts';
import { isPasswordRight, type Authentication } from './authentication.ts';
import type { Behaviour } from './behaviour.ts';
import { refusal, type Answer, type Delivery, type Effect, type Incoming } from './call.ts';
import type { Feed } from './feed.ts';
import { readCall, sha256, type IntakeSettings } from './intake.ts';
import { judge, type JudgeSettings } from './judge.ts';
import type { Ledger } from './ledger.ts';
import type { Metrics } from './metrics.ts';
import { findRoute } from './operations.ts';
import { processCall } from './process.ts';
import type { RequestRecord, SimState } from './state.ts';

export interface Simulation {
  readonly state: SimState;
  readonly ledger: Ledger;
  readonly behaviour: Behaviour;
  readonly metrics: Metrics;
  readonly feed: Feed;
  readonly settings: IntakeSettings & JudgeSettings & { readonly authentication: Authentication };
}

/** Takes one request of the platform from its arrival to its answer, and keeps the record of it. */
export async function exchange(simulation: Simulation, incoming: Incoming): Promise<Delivery> {
  const { state, behaviour, settings } = simulation;
  const startMs = performance.now();
  const ended = behaviour.ended();
  const route = findRoute(incoming.method, incoming.path);
  let record = state.requests.add((n) => openRecord(n, simulation, incoming));

  function close(delivery: Delivery, rule: string | null, effect: Effect | null): Delivery {
    const ms = Math.round((performance.now() - startMs) * 10) / 10;
    const answer = delivery.kind === 'ANSWER' ? delivery.answer : null;
    const results = { ANSWER: 'ANSWERED', RESET: 'RESET', CLOSE: 'CLOSED' } as const;
    record = { ...record, rule, effect, answer, ms, result: results[delivery.kind] };
    // After a reset the record is gone, and so is what was counted.
    if (!ended.aborted) {
      state.requests.update(record);
      simulation.metrics.count(record.operation ?? 'unknown', String(answer?.status ?? record.result), ms);
      simulation.feed.publish({ kind: 'request', data: record });
    }
    return delivery;
  }
  const refuse = (answer: Answer): Delivery => close({ kind: 'ANSWER', answer }, null, 'NONE');

  if (!isPasswordRight(settings.authentication, incoming.headers['authorization'])) {
    return refuse(refusal(401, 'UNAUTHORIZED', 'User or password is wrong.'));
  }
  if (route === null) return refuse(refusal(404, 'NOT_FOUND', 'The contract has no such call.'));

  const intake = await readCall(state, settings, incoming, route, record.n);
  const { call } = intake;
  record = { ...record, operation: call.operation, attempt: call.attempt };
  record = { ...record, encrypted: intake.encrypted, body: call.body ?? null };
  state.requests.update(record);
  for (const finding of judge(state, simulation.ledger, settings, intake)) {
    const at = settings.now().toISOString();
    const { operation, key } = call;
    const violation = state.violations.add((n) => ({ n, at, ...finding, operation, key, request: call.n }));
    simulation.feed.publish({ kind: 'violation', data: violation });
  }
  simulation.feed.publish({ kind: 'request', data: record });

  const processing = {
    state,
    ledger: simulation.ledger,
    publicKeyBase64: settings.encryptionKey.publicKeyBase64,
    now: settings.now,
    onInbox: (item: unknown) => simulation.feed.publish({ kind: 'inbox', data: item }),
  };
  const acted = await act(behaviour, call, incoming.hungUp, (bend) => processCall(processing, call, bend));
  return close(acted.delivery, acted.rule, acted.outcome?.effect ?? 'NONE');
}

function openRecord(n: number, simulation: Simulation, incoming: Incoming): RequestRecord {
  const { authorization, ...headers } = incoming.headers;
  return {
    n,
    at: simulation.settings.now().toISOString(),
    method: incoming.method,
    path: incoming.path,
    operation: null,
    key: incoming.headers['x-idempotency-key'] ?? null,
    attempt: 1,
    headers: authorization === undefined ? headers : { ...headers, authorization: '***' },
    encrypted: false,
    bodySha256: sha256(incoming.body ?? ''),
    body: null,
    mode: simulation.behaviour.mode().mode,
    rule: null,
    result: 'OPEN',
    answer: null,
    effect: null,
    ms: null,
  };
}
