const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True for a lower-case UUID whose version nibble is 4. */
export const isUuid = (value: string): boolean => UUID_V4.test(value);

/**
 * A UUID that sorts by time: 48 bits of milliseconds, then version nibble 4, then random bits
 * (data-model, "Ids"). `random` is 20 hexadecimal characters.
 */
export function timeOrderedUuid(atMs: number, random: string): string {
  const time = Math.trunc(atMs).toString(16).padStart(12, '0');
  const variant = '89ab'[Number.parseInt(random.charAt(3), 16) & 3];
  return (
    `${time.slice(0, 8)}-${time.slice(8)}-4${random.slice(0, 3)}-` +
    `${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`
  );
}

/** The smallest id of a millisecond: the bound that lets a query or a partition prune by time. */
export function firstIdAt(atMs: number): string {
  const time = Math.max(0, Math.trunc(atMs)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
