import { z } from 'zod';

/** Body of `generateVirtualCard` (spec 2). */
export const generateBody = z.strictObject({
  reference: z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hexadecimal digits'),
  externalCardId: z.union([z.string().min(1).max(64), z.number().int().positive()]),
  productId: z.string().min(1).max(64),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code of three letters'),
  expiryMonths: z.number().int().min(1).max(120),
  cardholder: z.strictObject({
    name: z.string().min(1).max(64),
    country: z
      .string()
      .regex(/^[A-Z]{2,3}$/, 'must be an ISO 3166 code')
      .nullish(),
  }),
});

export type GenerateBody = z.output<typeof generateBody>;

const lockCode = z.union([z.number().int().min(1).max(8), z.literal(11)]);
const at = z.iso.datetime({ offset: true });

/** Body of `lock` (spec 2, codes of cards 4.5). */
export const lockBody = z.strictObject({ code: lockCode, at });

/** Body of `unlock`. */
export const unlockBody = z.strictObject({
  codes: z.array(lockCode).min(1).max(9),
  pinUnblock: z.boolean().default(false),
});

/** Body of `resetCvv`. */
export const cvcBody = z.strictObject({ version: z.number().int().min(1).max(1_000_000) });
