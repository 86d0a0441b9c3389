import { z } from 'zod';

/** Answer of `GET /companies/{country}/{taxId}`; it may have members that we do not read. */
export const registeredCompany = z.object({
  name: z.string().min(1).max(500),
  registryNumber: z
    .string()
    .max(64)
    .nullish()
    .transform((value) => value ?? null),
  active: z.boolean(),
});
