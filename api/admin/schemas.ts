import { z } from '../schemas/shared.ts';

/** A password as it was typed; whether it may be one is another question. */
export const secretText = () =>
  z
    .string({ error: 'must be a text' })
    .min(1, 'must not be empty')
    .max(512, 'must have at most 512 characters')
    .openapi({ type: 'string', format: 'password' });

/** The token of a mailed link. */
export const linkToken = () => z.string({ error: 'must be a text' }).max(100);
