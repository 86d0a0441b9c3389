const SECRETS = new Set(['pin', 'cvc2', 'otp']);

/** `value` with what a cardholder keeps to himself replaced by `***`: a report is read by many. */
export function redact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      const secret = SECRETS.has(name) && (typeof one === 'string' || typeof one === 'number');
      return [name, secret && !VERDICTS.has(String(one)) ? '***' : redact(one)];
    }),
  );
}

/** Members of `verification` carry the same names, but only what was found out. */
const VERDICTS = new Set(['MATCH', 'NO_MATCH', 'NOT_CHECKED', 'NOT_PRESENT']);
