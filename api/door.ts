import type { Programme } from '../db/partners.ts';
import type { Permission } from '../domain/permission.ts';
import type { OwnerRule, RoleRule, routesOf } from './route.ts';

/** How one channel shows calls that partners' servers and operators have alike (onboarding 2 to 4). */
export interface Door<Principal> {
  readonly route: ReturnType<typeof routesOf<Principal>>;
  /** Stands before the names of the operations: two channels have the same calls. */
  readonly prefix: '' | 'admin';
  /** Where the channel's paths begin, for `Location`. */
  readonly home: string;
  readonly owner: OwnerRule;
  /** Who may call what operators need `permission` for. */
  role(permission: Permission): RoleRule;
  /** Inner ids of the programmes in which things are looked up. */
  scope(principal: Principal): readonly number[];
  /** The programme of a thing that was found in `scope`. */
  programmeOf(principal: Principal, programmeId: number): Programme;
  /** Names the caller in cursors. */
  reader(principal: Principal): string;
}

/** What routes of a kind share: who may, and how far JWE goes. */
export const doorOf = <Principal>(door: Door<Principal>, permission: Permission) =>
  ({ role: door.role(permission), owner: door.owner, jwe: 'open' }) as const;

/** Name of an operation as the door's channel has it. */
export const operationAt = ({ prefix }: Pick<Door<never>, 'prefix'>, operation: string): string =>
  prefix === '' ? operation : prefix + operation.charAt(0).toUpperCase() + operation.slice(1);
