import { date, uuid, z } from '../schemas/shared.ts';

/** The answer to the first of two operators (administration 3). */
export const waiting = {
  description: 'waits for a second operator',
  schema: z
    .strictObject({
      approvalId: uuid(),
      state: z.literal('PENDING'),
      kind: z.string(),
      summary: z.string(),
      subject: z.strictObject({ type: z.string(), id: z.string() }),
      expiresAt: date(),
    })
    .openapi('PendingApproval'),
};
