import { z } from 'zod';

/** What the processor answers (processor.md 2); its answers are checked like any other input. */

export const generatedCardSchema = z.object({
  processorCardId: z.string().min(1).max(64),
  lastFourDigits: z.string().regex(/^[0-9]{4}$/),
  expiry: z.string().regex(/^[0-9]{4}-(0[1-9]|1[0-2])$/),
  payload: z.string().max(16_384),
});

export type GeneratedCard = z.output<typeof generatedCardSchema>;

export const foundCardsSchema = z.object({
  items: z.array(generatedCardSchema.extend({ status: z.string() })),
});

export const refusalSchema = z.object({ title: z.string().max(64) });
