import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { Kysely } from 'kysely';
import { atomically } from '../../db/atomically.ts';
import type { ConnectionRow, Delivery, EndedAttempt } from '../../db/deliveries.ts';
import {
  endBatch,
  findDelivery,
  keepEncryptedBody,
  recordAttempts,
  unsentOfBatch,
} from '../../db/deliveries.ts';
import type { Database } from '../../db/database.ts';
import {
  afterNoticeAttempt,
  type DeliveryOutcome,
  type NoticeFate,
  resendsOf,
} from '../../domain/delivery.ts';
import { batchBodies } from '../../vault/delivery-bodies.ts';
import { encryptBytes } from '../../vault/jwe.ts';
import type { Vault } from '../../vault/vault.ts';
import { finalFailure } from '../errors.ts';
import type { PartnerAnswer, PartnerClient, PartnerEndpoint } from './client.ts';
import { openEndpoint } from './endpoint.ts';
import type { PartnerKeys } from './public-key.ts';
import { createAttemptRecorder } from './recorder.ts';

export interface NotifierCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly vault: Vault;
  readonly partner: PartnerClient;
  readonly partnerKeys: PartnerKeys;
  /** Told of every attempt, for metrics. */
  readonly onAttempt?: (operation: string, outcome: DeliveryOutcome) => void;
}

/** A delivery that the batch hands on to a workflow of its own. */
export interface FailedDelivery {
  readonly deliveryId: string;
  readonly partnerId: number;
  readonly programmeId: number;
  readonly operation: string;
  /** Until its next attempt. */
  readonly delayMs: number;
}

export interface SentBatch {
  readonly delivered: number;
  readonly dead: number;
  readonly failed: readonly FailedDelivery[];
}

const DEADLINE_MS = 10_000;
const HEARTBEAT_MS = 4_000;
const ACCEPTS = [200, 204];
const KEY_TITLES = new Set(['CANT_DECRYPT_PAYLOAD', 'INVALID_PUBLIC_KEY']);

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'notifier' },
  requestId: 'notifier',
  ip: null,
} as const;

/** Telling partners (partner-integrations 12): the first attempts of a batch, and one attempt at a delivery. */
export function createNotifierActivities(collaborators: NotifierCollaborators) {
  const { db, vault, partner, partnerKeys, onAttempt = () => undefined } = collaborators;

  return {
    /**
     * Tries each row of a batch once: order keys side by side, rows of one key one after the other. Run again
     * after a crash, rows whose attempt is stored are left out and the others go with the same key and bytes.
     */
    async sendBatch({ batchId }: { readonly batchId: string }): Promise<SentBatch> {
      const { connection, deliveries } = await unsentOfBatch(db, batchId);
      if (connection === undefined) throw finalFailure('BATCH_NOT_FOUND', 'there is no such batch');
      const { cancellationSignal } = Context.current();
      const recorder = createAttemptRecorder((attempts) =>
        atomically(db, caller, (trx) => recordAttempts(trx, attempts)),
      );
      const beat = setInterval(() => Context.current().heartbeat(), HEARTBEAT_MS);
      try {
        const endpoint = openEndpoint(vault, connection);
        const groups = await Promise.allSettled(
          byOrderKey(deliveries).map(async (group) => {
            for (const delivery of group) {
              // What is not sent stays PENDING and is sent when the activity runs again.
              if (cancellationSignal.aborted) return;
              recorder.add(await attempt(connection, endpoint, delivery, false));
            }
          }),
        );
        // What was sent is stored even when a fault of ours ends this run.
        await recorder.flush();
        for (const group of groups) if (group.status === 'rejected') throw asError(group.reason);
        cancellationSignal.throwIfAborted();
      } finally {
        clearInterval(beat);
      }
      const { delivered, dead, retrying } = await atomically(db, caller, (trx) => endBatch(trx, batchId));
      return { delivered, dead, failed: retrying };
    },

    /** One attempt at a delivery that is to be sent again; a delivery that is over is left as it is. */
    async attemptDelivery(of: {
      readonly deliveryId: string;
      readonly manual: boolean;
    }): Promise<NoticeFate> {
      const found = await findDelivery(db, of.deliveryId);
      if (found === undefined) throw finalFailure('DELIVERY_NOT_FOUND', 'there is no such delivery');
      const { connection, delivery } = found;
      const over = fateOf(delivery, of.manual);
      if (over !== null) return over;
      const ended = await attempt(connection, openEndpoint(vault, connection), delivery, of.manual);
      await atomically(db, caller, (trx) => recordAttempts(trx, [ended]));
      return ended.status === 'RETRYING'
        ? { status: 'RETRYING', delayMs: ended.delayMs ?? 0 }
        : { status: ended.status === 'DELIVERED' ? 'DELIVERED' : 'DEAD' };
    },
  };

  async function attempt(
    connection: ConnectionRow,
    endpoint: PartnerEndpoint,
    delivery: Delivery,
    manual: boolean,
  ): Promise<EndedAttempt> {
    const sent = await send(connection, endpoint, delivery);
    onAttempt(delivery.operation, sent.answer.outcome);
    const { outcome, httpStatus, title, retryAfterMs, durationMs } = sent.answer;
    if (title !== null && KEY_TITLES.has(title)) partnerKeys.forget(endpoint.connectionId);
    const number = delivery.attempts + 1;
    const fate = afterNoticeAttempt({
      outcome,
      attempt: number,
      resends: resendsOf(delivery.operation, connection.resends),
      delaysMs: delivery.resendDelaysMs,
      retryAfterMs,
      chance: Math.random(),
    });
    return {
      deliveryId: delivery.deliveryId,
      attempt: number,
      outcome,
      httpStatus,
      responseTitle: title,
      durationMs,
      bodySha256: sent.bodySha256,
      manual,
      status: fate.status,
      delayMs: fate.status === 'RETRYING' ? fate.delayMs : null,
    };
  }

  async function send(
    connection: ConnectionRow,
    endpoint: PartnerEndpoint,
    delivery: Delivery,
  ): Promise<{ readonly answer: PartnerAnswer; readonly bodySha256: string }> {
    const prepared = await prepare(connection, endpoint, delivery);
    if (prepared === null) return { answer: NO_KEY, bodySha256: '' };
    const { body, encrypted } = prepared;
    const answer = await partner.call(endpoint, {
      method: 'POST',
      path: `/notifications/${delivery.operation}`,
      issuerCode: delivery.issuerCode,
      idempotencyKey: delivery.deliveryId,
      sequence: delivery.sequence,
      body,
      encrypted,
      deadlineMs: DEADLINE_MS,
      accepts: ACCEPTS,
    });
    return { answer, bodySha256: createHash('sha256').update(body).digest('hex') };
  }

  /** The bytes to send; encrypted once, before the first attempt, and kept. Null: the partner gives no key. */
  async function prepare(
    connection: ConnectionRow,
    endpoint: PartnerEndpoint,
    delivery: Delivery,
  ): Promise<{ readonly body: Buffer; readonly encrypted: boolean } | null> {
    const { deliveryId, body: sealed, encryptedRequest } = delivery;
    if (sealed === null) throw finalFailure('BODY_PURGED', 'the body of this delivery is deleted');
    const bodies = batchBodies(vault, delivery);
    const body = bodies.open(deliveryId, sealed);
    if (encryptedRequest || !wantsEncryption(connection, delivery.operation)) {
      return { body, encrypted: encryptedRequest };
    }
    const key = await partnerKeys.keyOf(endpoint);
    if (key === null) return null;
    const payload = await encryptBytes(key, body, { kid: key.keyId });
    const made = bodies.seal(deliveryId, Buffer.from(JSON.stringify({ payload })));
    const kept = await atomically(db, caller, (trx) => keepEncryptedBody(trx, deliveryId, made));
    return { body: bodies.open(deliveryId, kept), encrypted: true };
  }
}

const NO_KEY: PartnerAnswer = {
  outcome: 'NO_KEY',
  httpStatus: null,
  title: null,
  retryAfterMs: null,
  durationMs: 0,
  text: '',
};

const wantsEncryption = ({ encryption }: ConnectionRow, operation: string): boolean =>
  operation.startsWith('verification') && encryption.verification === 'JWE';

/** What there is to say of a delivery without an attempt; null: it is to be sent. */
function fateOf({ status }: Delivery, manual: boolean): NoticeFate | null {
  if (manual) return null;
  if (status === 'DELIVERED' || status === 'RESOLVED') return { status: 'DELIVERED' };
  return status === 'DEAD' || status === 'FAILED' ? { status: 'DEAD' } : null;
}

function byOrderKey(deliveries: readonly Delivery[]): Delivery[][] {
  const groups = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    const group = groups.get(delivery.orderKey);
    if (group === undefined) groups.set(delivery.orderKey, [delivery]);
    else group.push(delivery);
  }
  return [...groups.values()];
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error('a row failed'));
