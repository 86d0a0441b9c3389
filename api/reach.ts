import type { Programme } from '../db/partners.ts';

/** How far a caller's look-ups go: what handlers shared by several channels need to know of a principal. */
export interface Reach {
  readonly partnerId: number;
  /** Every programme the call may touch. */
  readonly programmes: readonly Programme[];
  /** Names the caller in cursors. */
  readonly reader: string;
}

/** Inner ids of the programmes a call may touch: the tenant part of every look-up. */
export const programmeIds = ({ programmes }: Pick<Reach, 'programmes'>): readonly number[] =>
  programmes.map((one) => one.programmeId);

/** The programme of a resource the call has already been allowed to see. */
export function programmeOf({ programmes }: Pick<Reach, 'programmes'>, programmeId: number): Programme {
  const found = programmes.find((one) => one.programmeId === programmeId);
  if (found === undefined) throw new Error('a resource of a programme outside the call was loaded');
  return found;
}
