/** What a caller wants changed: a member that is not there, or undefined, stays. */
export type Changes<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** `before` with what is to be changed. */
export const applyChanges = <T extends object>(before: T, changes: Changes<T>): T => ({
  ...before,
  ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
});

/** Names of the members that differ. */
export const changedNames = <T extends object>(before: T, after: T): (keyof T)[] =>
  (Object.keys(after) as (keyof T)[]).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );

/** Only the members named, as the audit log keeps them. */
export const onlyNamed = <T extends object>(from: T, names: readonly (keyof T)[]): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, from[name]]));
