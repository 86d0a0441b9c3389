import type { Trx } from '../db/atomically.ts';
import type { Caller } from '../domain/actor.ts';
import type { Rated } from '../domain/rate-limit.ts';
import type { Answer, Call, ChannelName, Method, Route } from './route.ts';
import type { Services } from './services.ts';

/** What a channel knows of a request before its body is touched. */
export interface Arrival {
  readonly method: Method;
  readonly header: (name: string) => string | null;
  readonly ip: string | null;
  readonly socket: object | null;
  readonly requestId: string;
}

/** Who a principal is for the rest of the pipeline. */
export interface Identified<Principal> {
  readonly principal: Principal;
  readonly caller: Caller;
  /** Whose certificate it is, also where the channel acts for no partner: a refusal stands in their audit. */
  readonly partnerId: number | null;
  readonly scopes: readonly string[];
  readonly pinnedPublicKeys: readonly string[];
  /** First part of an idempotency scope: principal, and programme where a header names one. */
  readonly idempotencyScope: string;
  /** Whose requests are counted how (channels 14); null: these are not. */
  readonly rated: Rated | null;
}

/** One door of the platform: a prefix, a way to know the caller, and its routes. */
export interface Channel<Principal> {
  readonly name: ChannelName;
  readonly prefix: string;
  /** Its callers have no identity, so that their requests are counted by their address (channels 14). */
  readonly anonymous?: true;
  /** Finds out who calls. Throws the 401 refusals. */
  identify(services: Services, arrival: Arrival): Promise<Identified<Principal>>;
  /** Programme, address and other conditions of the channel; runs after the scope check. Throws 400 and 403. */
  admit(services: Services, arrival: Arrival, known: Identified<Principal>): Promise<Identified<Principal>>;
  /** Who may call a route; absent: whose certificate has one of its scopes. Throws 403, or 404 for what is hidden. */
  permit?(route: Route, principal: Principal): void;
  /**
   * Holds what the caller is known by until the transaction ends; the last step of every transaction of a call that
   * may change something. Throws when it has ended since the caller was identified.
   */
  hold?(
    trx: Trx,
    call: Pick<Call<Principal, unknown, unknown, unknown>, 'principal' | 'params'>,
  ): Promise<void>;
  /** Runs a route's handler; absent: nothing stands in between. */
  run?(route: Route, call: Call<Principal, unknown, unknown, unknown>): Promise<Answer>;
  readonly routes: readonly Route[];
}

export type AnyChannel = Channel<never>;

/** Forgets a channel's principal type, which only its own routes need. */
export const channel = <Principal>(declaration: Channel<Principal>): AnyChannel =>
  declaration as unknown as AnyChannel;
