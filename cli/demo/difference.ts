/** Something was seen that is not what the story promises; the demo prints both and ends with exit code 1. */
export class Difference extends Error {
  readonly expected: string;
  readonly got: string;

  constructor(what: string, expected: unknown, got: unknown) {
    super(what);
    this.name = 'Difference';
    this.expected = asText(expected);
    this.got = asText(got);
  }
}

/** Throws a `Difference` unless `got` equals `expected` by value. */
export function expectEqual(what: string, expected: unknown, got: unknown): void {
  if (asText(expected) !== asText(got)) throw new Difference(what, expected, got);
}

/** Throws a `Difference` unless `holds`. */
export function expectThat(what: string, holds: boolean, expected: string, got: unknown): void {
  if (!holds) throw new Difference(what, expected, got);
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
