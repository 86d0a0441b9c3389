interface JsonBuffer {
  readonly type: 'Buffer';
  readonly data: readonly number[];
}

const isJsonBuffer = (value: unknown): value is JsonBuffer =>
  typeof value === 'object' && value !== null && (value as JsonBuffer).type === 'Buffer';

/** Rows as one text to look for words in; bytes as the characters they would be if they were stored in clear. */
export const readable = (rows: unknown): string =>
  JSON.stringify(rows, (_name, value: unknown) =>
    isJsonBuffer(value) ? Buffer.from(value.data).toString('latin1') : value,
  );
