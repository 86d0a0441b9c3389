import { audit } from '../../db/audit-log.ts';
import { type AuditRow, listAudit } from '../../db/audit-trail.ts';
import { keepVerdicts } from '../../db/audit-verifications.ts';
import { verifyAudit } from '../../db/audit-seals.ts';
import { findPartner, partnerPublicIds } from '../../db/partner-names.ts';
import type { Trx } from '../../db/atomically.ts';
import { Refusal } from '../../domain/errors.ts';
import { readAnchors } from '../../vault/read-anchors.ts';
import { adminRoute, type OperatorPrincipal } from '../operator-principal.ts';
import { readPage } from '../pagination.ts';
import { date, dateTime, listOf, page, uuid, word, z } from '../schemas/shared.ts';

const RESULTS = ['OK', 'DENIED', 'FAILED'] as const;
const PLATFORM = 'platform';

const rowSchema = z
  .strictObject({
    id: z.string(),
    chainId: z.string(),
    /** Place, and hashes, in the chain; null until the row is sealed, some seconds after it was written. */
    seq: z.int().nullable(),
    prevHash: z.string().nullable(),
    hash: z.string().nullable(),
    at: date(),
    partnerId: z.string().nullable(),
    actorType: z.string(),
    actorId: z.string(),
    action: z.string(),
    objectType: z.string(),
    objectId: z.string(),
    result: z.enum(RESULTS),
    requestId: z.string(),
    ip: z.string().nullable(),
    before: z.unknown(),
    after: z.unknown(),
  })
  .openapi('AuditRow');

const chainOf = ({ partner_id: id }: AuditRow, partners: ReadonlyMap<number, string>): string =>
  id === null ? PLATFORM : (partners.get(id) ?? PLATFORM);

const rowBody = (row: AuditRow, partners: ReadonlyMap<number, string>) => ({
  id: row.id,
  chainId: chainOf(row, partners),
  seq: row.seal?.seq ?? null,
  prevHash: row.seal?.prevHash.toString('hex') ?? null,
  hash: row.seal?.hash.toString('hex') ?? null,
  at: row.created_at.toISOString(),
  partnerId: row.partner_id === null ? null : (partners.get(row.partner_id) ?? null),
  actorType: row.actor_type,
  actorId: row.actor_id,
  action: row.action,
  objectType: row.object_type,
  objectId: row.object_id,
  result: row.result,
  requestId: row.request_id,
  ip: row.ip,
  before: row.before,
  after: row.after,
});

const list = adminRoute({
  operation: 'listAuditLog',
  method: 'GET',
  path: '/audit-log',
  summary: 'Who did what to which object; reading is recorded too',
  permission: 'audit.read',
  jwe: 'open',
  idempotency: 'ignored',
  query: z.strictObject({
    ...page,
    actorId: z.string().max(128).optional(),
    action: z.string().max(64).optional(),
    objectType: z.string().max(64).optional(),
    objectId: z.string().max(128).optional(),
    partnerId: uuid().optional(),
    result: word(RESULTS).optional(),
    from: dateTime().optional(),
    to: dateTime().optional(),
  }),
  answers: { 200: { description: 'newest first', schema: listOf(rowSchema) } },
  refusals: ['INVALID_CURSOR', 'PARTNER_NOT_FOUND'],
  handle: async (call) => {
    const { query, principal, services, receivedAtMs } = call;
    const { limit, cursor, partnerId: named, ...filter } = query;
    const partnerId = await call.asEngine((trx) => partnerInScope(trx, principal, named));
    // Recorded before anything is shown (channels 3).
    await call.asEngine((trx) =>
      audit(trx, {
        action: 'audit.read',
        objectType: 'audit_log',
        objectId: named ?? 'all',
        after: { ...filter },
      }),
    );
    const { items, nextCursor } = await readPage(
      services.vault,
      { principal: principal.operatorId, operation: 'listAuditLog', filters: { ...filter, named } },
      { limit, cursor },
      receivedAtMs,
      (before, count) => call.asEngine((trx) => listAudit(trx, { ...filter, partnerId }, before, count)),
      (row) => row.id,
      (row) => row,
    );
    const ids = items.flatMap((row) => (row.partner_id === null ? [] : [row.partner_id]));
    const partners = await call.asEngine((trx) => partnerPublicIds(trx, ids));
    return { status: 200, body: { items: items.map((row) => rowBody(row, partners)), nextCursor } };
  },
});

/** The partner whose rows are shown; undefined: all. A partner's operator sees that partner's and no others. */
async function partnerInScope(
  trx: Trx,
  { partnerId }: OperatorPrincipal,
  named: string | undefined,
): Promise<number | undefined> {
  if (named === undefined) return partnerId ?? undefined;
  const partner = await findPartner(trx, named);
  if (partner === undefined || (partnerId !== null && partner.partnerId !== partnerId)) {
    throw new Refusal('PARTNER_NOT_FOUND', 'There is no such partner.');
  }
  return partner.partnerId;
}

const verdictSchema = z.strictObject({
  chainId: z.string(),
  rows: z.int(),
  ok: z.boolean(),
  firstBadSeq: z.int().nullable(),
  problem: z.enum(['HASH', 'GAP', 'ORDER', 'ANCHOR']).nullable(),
});

const seq = () => z.int('must be a whole number from 1').min(1, 'must be a whole number from 1');

const verify = adminRoute({
  operation: 'verifyAuditLog',
  method: 'POST',
  path: '/audit-log/verify',
  summary: 'Prove the hash chains, or a part of one, from the rows and the anchors outside the database',
  permission: 'audit.read',
  jwe: 'open',
  idempotency: 'ignored',
  body: z
    .strictObject({
      chainId: z.union([uuid(), z.literal(PLATFORM)]).optional(),
      fromSeq: seq().optional(),
      toSeq: seq().optional(),
    })
    .superRefine(({ chainId, fromSeq, toSeq }, context) => {
      const refuse = (path: string, message: string) =>
        context.addIssue({ code: 'custom', path: [path], message });
      if (chainId === undefined && (fromSeq ?? toSeq) !== undefined) {
        refuse('chainId', 'is needed: places count in one chain');
      }
      if (fromSeq !== undefined && toSeq !== undefined && toSeq < fromSeq) {
        refuse('toSeq', 'must not be before fromSeq');
      }
    }),
  answers: {
    200: {
      description: 'the verdict on each chain in scope',
      schema: z.strictObject({
        ok: z.boolean(),
        chains: z.array(verdictSchema),
        anchorsChecked: z.int(),
        anchorsForged: z.int(),
        lastAnchorAt: date().nullable(),
      }),
    },
  },
  refusals: ['PARTNER_NOT_FOUND'],
  handle: async (call) => {
    const { principal, services } = call;
    const only = await call.asEngine((trx) => chainInScope(trx, principal, call.body.chainId));
    const anchors = await readAnchors(services.vault, services.anchors);
    const { fromSeq, toSeq } = call.body;
    const found = await verifyAudit(services.engine, anchors.heads, { chain: only, fromSeq, toSeq });
    const chains = found.map(({ chain, ...verdict }) => ({ chainId: chain, ...verdict }));
    const ok = anchors.forged === 0 && chains.every((one) => one.ok);
    const whole = (fromSeq ?? toSeq) === undefined;
    await call.asEngine(async (trx) => {
      if (whole) await keepVerdicts(trx, found, anchors);
      await audit(trx, {
        action: 'audit.verified',
        objectType: 'audit_log',
        objectId: only ?? 'all',
        result: ok ? 'OK' : 'FAILED',
        ...(whole ? {} : { after: { fromSeq, toSeq } }),
      });
    });
    const { checked: anchorsChecked, forged: anchorsForged, lastAt: lastAnchorAt } = anchors;
    return { status: 200, body: { ok, chains, anchorsChecked, anchorsForged, lastAnchorAt } };
  },
});

/** The only chain to prove, undefined: all. A partner's operator proves that partner's. */
async function chainInScope(
  trx: Trx,
  principal: OperatorPrincipal,
  named: string | undefined,
): Promise<string | undefined> {
  const { partnerId } = principal;
  if (named === PLATFORM && partnerId !== null) {
    throw new Refusal('PARTNER_NOT_FOUND', 'There is no such partner.');
  }
  if (named === PLATFORM) return PLATFORM;
  const inScope = await partnerInScope(trx, principal, named);
  return inScope === undefined ? undefined : (await partnerPublicIds(trx, [inScope])).get(inScope);
}

export const auditLog = [list, verify];
