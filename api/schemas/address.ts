import { postCode } from '../../db/person-schema.ts';
import type { Address } from '../../domain/customer.ts';
import { country } from './customer.ts';
import { text, z } from './shared.ts';

const members = {
  street: text(1, 100),
  number: text(1, 16),
  apartment: text(1, 16).nullish(),
  city: text(1, 64),
  postCode: postCode(),
  country: country(),
  region: text(1, 64).nullish(),
};

/** Body of an address call; `type` only where the path does not name it. */
export const addressBody = z.strictObject({ ...members, type: z.unknown().optional() }).openapi('NewAddress');

/** One address in the list of a corporation that is made with them. */
export const typedAddress = <T extends z.ZodType>(type: T) => z.strictObject({ type, ...members });

export const addressSchema = z
  .strictObject({
    type: z.string(),
    street: z.string(),
    number: z.string(),
    apartment: z.string().nullable(),
    city: z.string(),
    postCode: z.string(),
    country: z.string(),
    region: z.string().nullable(),
  })
  .openapi('Address');

type AddressMembers = Omit<z.output<typeof addressBody>, 'type'>;

/** An address as it is kept. */
export const toAddress = (body: AddressMembers): Address => ({
  street: body.street,
  number: body.number,
  apartment: body.apartment ?? null,
  city: body.city,
  postCode: body.postCode,
  country: body.country,
  region: body.region ?? null,
});
