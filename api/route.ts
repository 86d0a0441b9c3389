import type { ZodType, z } from 'zod';
import type { Caller } from '../domain/actor.ts';
import type { ApprovalKind } from '../domain/approval-kind.ts';
import type { RefusalCode } from '../domain/errors.ts';
import type { Permission } from '../domain/permission.ts';
import type { Rated } from '../domain/rate-limit.ts';
import type { CertificateScope } from '../db/database.ts';
import type { Trx } from '../db/atomically.ts';
import type { RecipientKey } from '../vault/recipient-key.ts';
import type { Services } from './services.ts';

/**
 * The route object is the contract: routing, checks, the OpenAPI description and the generated tests all
 * come from it. What it does not declare is not served.
 */

export type ChannelName =
  'public' | 'secure' | 'sponsor' | 'lifecycle' | 'processor' | 'admin' | 'kyb' | 'customers' | 'entry';
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * Who may call: certificate scopes, a row of the operators' permission matrix, the session of a user of
 * the app, or `nobody-asked` for what the public listener shows to everyone.
 */
export type RoleRule =
  | { readonly scopes: readonly CertificateScope[] }
  | OperatorRule
  | ApplicationRule
  | UserRule
  | 'nobody-asked';

/** A user who is signed in to the app. */
export interface UserRule {
  readonly session: 'user';
}

/** Who holds the token of a company's application. */
export interface ApplicationRule {
  readonly application: 'own';
}

/** Which operators may call, with what besides their session (channels 13). */
export interface OperatorRule {
  readonly permission: Permission;
  /** A code given in the last five minutes is asked for. */
  readonly stepUp: boolean;
  readonly fourEyes: FourEyes<never, never, never> | null;
}

/** What a request is made of, as far as a second person must know it. */
export interface AskedFor<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

/** How a route shows what it asks a second operator to approve (administration 3); `Who` asks. */
export interface FourEyes<P, Q, B, Who = never> {
  readonly kind: ApprovalKind;
  /** Which calls need two; absent: every one. */
  readonly when?: (asked: AskedFor<P, Q, B>) => boolean;
  /** The row of the matrix that rules those calls; absent: the route's own. */
  readonly permission?: Permission;
  /** One line without personal data: `Credit 25.00 EUR`. */
  readonly summary: (asked: AskedFor<P, Q, B>) => string;
  /**
   * What it is about, by an id that nothing else of the platform has: no partner's request stands in the way of
   * another's. Without personal data.
   */
  readonly subject: (
    asked: AskedFor<P, Q, B> & { readonly principal: Who; readonly services: Services },
    trx: Trx,
  ) => Subject | Promise<Subject>;
}

interface Subject {
  readonly type: string;
  readonly id: string | number;
}

/**
 * Whose data a route touches. `programme`: only what belongs to a programme the caller may use; `partner`:
 * the caller's own partner; `card-of-message`: the programme follows from the card in the message;
 * `partner-balance`: it follows from the partner balance in the path; `operator`: only what lies in the operator's
 * scope; `application`: the one that the token opens; `user`: only what is the user's own; `none`: no data of anybody.
 */
export type OwnerRule =
  | 'programme'
  | 'partner'
  | 'card-of-message'
  | 'partner-balance'
  | 'operator'
  | 'application'
  | 'user'
  | 'none';

/** How far JWE goes on a route (channels 8); `none`: not a JSON route of that kind. */
export type JweClass = 'open' | 'response' | 'both' | 'none';

/** A file of a multipart form, whole in memory. */
export interface UploadedFile {
  readonly fileName: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** What a handler gives back; the pipeline writes, encrypts and stores it. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** Compact JWE made inside the vault: answers that hold card data never exist here in clear. */
  readonly sealed?: string;
  readonly location?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Card whose data the answer holds; a replay reads the vault again instead of storing it. */
  readonly cardId?: number;
  readonly replayed?: boolean;
  /** A file of values, sent as text/csv and never encrypted. */
  readonly csv?: string;
  /** JSON text that must go out byte for byte. */
  readonly text?: string;
  /** A file of another kind, never encrypted: always to be saved, never shown in place. */
  readonly file?: { readonly mediaType: string; readonly bytes: Buffer };
}

/** One request on its way through a handler; all members are checked. */
export interface Call<Principal, Params, Query, Body> {
  readonly principal: Principal;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The body as it came, for signatures over bytes. */
  readonly raw: Buffer;
  /** Path, query and decrypted body before they were checked, for what is kept and checked again later. */
  readonly sent: AskedFor<unknown, unknown, unknown>;
  readonly header: (name: string) => string | null;
  readonly requestId: string;
  readonly ip: string | null;
  readonly receivedAtMs: number;
  readonly services: Services;
  /** Who acts, for `atomically` and the audit trail. */
  readonly caller: Caller;
  /** Key that the answer is encrypted to, where the caller asked for that. */
  readonly recipient: RecipientKey | null;
  readonly idempotency: { readonly key: string; readonly scope: string; readonly fingerprint: Buffer } | null;
  /** Admin channel: who asked for the kept request that runs now, on the approval of the caller; else absent. */
  readonly requestedBy?: string;
  /** One database transaction as the caller. */
  atomically<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /** One database transaction of the engine, which sees all partners; the caller stays the one who acts. */
  asEngine<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /**
   * One database transaction as the caller that finishes what this call has begun outside: it commits also when the
   * caller's session has ended meanwhile.
   */
  conclude<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /**
   * One database transaction under the caller's idempotency key: the effect and the stored answer commit
   * together, a repeat gets the stored answer (channels 7). Without a key it is `atomically`.
   */
  once(
    work: (trx: Trx) => Promise<Answer>,
    replayCard?: (cardId: number) => Promise<Answer>,
  ): Promise<Answer>;
  /** As `once`, in a transaction of the engine. */
  onceAsEngine(work: (trx: Trx) => Promise<Answer>): Promise<Answer>;
}

/** A request before its body is looked into. */
export interface Unparsed {
  readonly services: Services;
  readonly param: (name: string) => string;
  readonly header: (name: string) => string | null;
  readonly raw: Buffer;
}

export interface RouteDeclaration<Principal, P extends ZodType, Q extends ZodType, B extends ZodType> {
  /** Name in the OpenAPI description and in logs: verb and noun. */
  readonly operation: string;
  readonly method: Method;
  /** Below the channel's prefix, parameters in braces. */
  readonly path: string;
  readonly aliases?: readonly { readonly method?: Method; readonly path: string }[];
  readonly summary: string;
  readonly description?: string;
  readonly role: RoleRule;
  readonly owner: OwnerRule;
  readonly jwe: JweClass;
  /** `required`: a request without key is refused (money postings). */
  readonly idempotency: 'accepted' | 'required' | 'ignored';
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Largest body in bytes; default 64 kB. */
  readonly maxBodyBytes?: number;
  /**
   * For callers whose identity lies in the bytes they sent (signed webhooks): runs as soon as these are read,
   * before anything is parsed, and tells whom their requests are counted for. Throws 401, or 404 where the path names
   * nobody.
   */
  readonly authenticate?: (sent: Unparsed) => Rated;
  /** May be asked as often as anybody likes, by callers without identity too. */
  readonly uncounted?: true;
  readonly contentType?: 'application/json' | 'multipart/form-data';
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema?: ZodType }>>;
  readonly refusals: readonly RefusalCode[];
  handle(call: Call<Principal, z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer>;
}

/** A declaration whose types have been forgotten, as the pipeline holds it. */
export type Route = RouteDeclaration<never, ZodType, ZodType, ZodType>;

/** Gives a channel its `route()` function: handlers see that channel's principal and nothing else. */
export function routesOf<Principal>() {
  return <
    P extends ZodType = ZodType<unknown>,
    Q extends ZodType = ZodType<unknown>,
    B extends ZodType = ZodType<unknown>,
  >(
    declaration: RouteDeclaration<Principal, P, Q, B>,
  ): Route => declaration as unknown as Route;
}
