type Body = Readonly<Record<string, unknown>>;

/** `body` with the member at the dotted path set to `value`; objects on the way are made where they miss. */
export function alter(body: Body, field: string, value: unknown): Body {
  const [first = '', ...rest] = field.split('.');
  if (rest.length === 0) return { ...body, [first]: value };
  const inner = body[first];
  const object = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Body) : {};
  return { ...body, [first]: alter(object, rest.join('.'), value) };
}
