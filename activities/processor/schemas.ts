import { z } from 'zod';

/** Answers of the issuing processor (processor 2); further members are tolerated. */
export const generatedCard = z.looseObject({
  processorCardId: z.string().min(1).max(64),
  lastFourDigits: z.string().regex(/^[0-9]{4}$/),
  /** `YYYY-MM` */
  expiry: z.string().regex(/^[0-9]{4}-(0[1-9]|1[0-2])$/),
  /** Compact JWE of pan, expiry and, where the processor makes it, cvc2. */
  payload: z.string().min(1),
});
export type GeneratedCard = z.infer<typeof generatedCard>;

export const foundCards = z.looseObject({
  items: z.array(generatedCard.extend({ status: z.string() })),
});
export type FoundCard = z.infer<typeof foundCards>['items'][number];

export const cardStatus = z.looseObject({ status: z.string() });

export const health = z.looseObject({ status: z.literal('UP') });

export const publicKey = z.looseObject({ publicKey: z.string().min(1) });

export const refusal = z.looseObject({ title: z.string().regex(/^[A-Z0-9_]{1,64}$/) });
