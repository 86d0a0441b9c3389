import { lockReason } from '../../domain/card-lock.ts';
import { z } from './shared.ts';

/** Body of a lock: the code or its constant, under the documented name or one of its aliases (cards 4.5). */
export const lockBody = z
  .strictObject({
    reason: z.union([z.int(), z.string()]).optional(),
    reasonCode: z.union([z.int(), z.string()]).optional(),
    code: z.union([z.int(), z.string()]).optional(),
  })
  .transform((body, context) => {
    const sent = [body.reason, body.reasonCode, body.code].filter((one) => one !== undefined);
    const found = sent.length === 1 ? lockReason(sent[0] as number | string) : undefined;
    if (found === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['reason'],
        message: 'must be a lock code (1 to 8, 11) or its constant, for example 3 or PENDING_QUERY',
      });
      return z.NEVER;
    }
    return found;
  })
  .openapi('CardLock', {
    type: 'object',
    properties: { reason: { oneOf: [{ type: 'integer' }, { type: 'string' }], example: 3 } },
    required: ['reason'],
  });
