/** What the steps before gave, by step id; `user`, `balance` and `card` of the setup too. */
export type Facts = Readonly<Record<string, unknown>>;

const WHOLE = /^\$\{([^}]+)\}$/;
const INSIDE = /\$\{([^}]+)\}/g;

/** A reference to something that is not there. */
export class UnknownReference extends Error {
  constructor(reference: string) {
    super(`\${${reference}} refers to nothing`);
  }
}

/**
 * `value` with every `${step.field}` replaced: alone in a text by the value itself, inside a text by its text.
 * Throws `UnknownReference`.
 */
export function resolve(value: unknown, facts: Facts): unknown {
  if (typeof value === 'string') {
    const whole = WHOLE.exec(value)?.[1];
    if (whole !== undefined) return lookUp(whole, facts);
    return value.replaceAll(INSIDE, (_, reference: string) => String(lookUp(reference, facts)));
  }
  if (Array.isArray(value)) return value.map((one) => resolve(one, facts));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolve(one, facts)]));
}

/** The step ids that `value` refers to. */
export function referencedIds(value: unknown): readonly string[] {
  const text = JSON.stringify(value) ?? '';
  return [...text.matchAll(INSIDE)].map((match) => match[1]?.split('.')[0] ?? '');
}

/** Walks a dotted path; a member that a step does not have is looked for in the platform's answer to it. */
function lookUp(reference: string, facts: Facts): unknown {
  const [id = '', ...path] = reference.split('.');
  const walk = (from: unknown): unknown =>
    path.reduce<unknown>(
      (at, name) =>
        typeof at === 'object' && at !== null && Object.hasOwn(at, name)
          ? (at as Record<string, unknown>)[name]
          : undefined,
      from,
    );
  const fact = facts[id];
  const found = walk(fact) ?? walk((fact as { response?: unknown } | undefined)?.response);
  if (found === undefined) throw new UnknownReference(reference);
  return found;
}
