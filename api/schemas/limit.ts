import { LIMIT_TYPES, TIME_UNITS } from '../../domain/limit.ts';
import { z } from './shared.ts';

const use = { consumed: z.int(), remaining: z.int() };

/** Limits with what is used up of each cell and of the budget (money 9). */
export const limitsSchema = z
  .strictObject({
    limits: z.array(
      z.strictObject({
        timeUnit: z.enum(TIME_UNITS),
        type: z.enum(LIMIT_TYPES),
        amountMinor: z.int(),
        ...use,
      }),
    ),
    perTransactionMinor: z.int().nullable(),
    budget: z
      .strictObject({
        budgetMinor: z.int(),
        validFrom: z.string(),
        validTo: z.string(),
        timezone: z.string(),
        ...use,
      })
      .nullable(),
    controls: z
      .strictObject({
        atm: z.boolean(),
        ecommerce: z.boolean(),
        contactless: z.boolean(),
        magstripe: z.boolean(),
        foreign: z.boolean(),
        mccAllow: z.array(z.string()),
        mccBlock: z.array(z.string()),
        countryAllow: z.array(z.string()),
        countryBlock: z.array(z.string()),
      })
      .nullable(),
  })
  .openapi('Limits');
