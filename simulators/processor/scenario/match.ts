/** A place where what came is not what was expected. */
export interface Difference {
  readonly path: string;
  readonly expected: unknown;
  readonly got: unknown;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Words that stand for a value of a kind; null on the wire counts as absent. */
const WORDS: Readonly<Record<string, (got: unknown) => boolean>> = {
  $any: (got) => got !== undefined && got !== null,
  $absent: (got) => got === undefined || got === null,
  $uuid: (got) => typeof got === 'string' && UUID.test(got),
};

const COMPARISONS: Readonly<Record<string, (got: unknown, limit: unknown) => boolean>> = {
  $gt: (got, limit) => typeof got === 'number' && got > Number(limit),
  $lt: (got, limit) => typeof got === 'number' && got < Number(limit),
  $in: (got, list) => Array.isArray(list) && list.some((one) => differences(one, got).length === 0),
};

/**
 * Compares by subset (spec 6.5): every member of `expected` must be in `got` and match, further ones do not
 * matter; an array must match position by position, and may be longer. Empty: it matches.
 */
export function differences(expected: unknown, got: unknown, path = ''): Difference[] {
  const differs = [{ path: path || 'value', expected, got: got ?? null }];
  if (typeof expected === 'string' && Object.hasOwn(WORDS, expected)) {
    return WORDS[expected]?.(got) ? [] : differs;
  }
  if (isComparison(expected)) {
    return Object.entries(expected).every(([name, limit]) => COMPARISONS[name]?.(got, limit)) ? [] : differs;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(got)) return differs;
    return expected.flatMap((one, at) => differences(one, got[at] as unknown, `${path}[${at}]`));
  }
  if (isObject(expected)) {
    if (!isObject(got)) return differs;
    return Object.entries(expected).flatMap(([name, one]) =>
      differences(one, got[name], path === '' ? name : `${path}.${name}`),
    );
  }
  return Object.is(expected, got) ? [] : differs;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isComparison = (value: unknown): value is Record<string, unknown> => {
  if (!isObject(value)) return false;
  const names = Object.keys(value);
  return names.length > 0 && names.every((name) => Object.hasOwn(COMPARISONS, name));
};
