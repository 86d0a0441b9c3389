import fc from 'fast-check';
import { PURCHASE_EVENTS, type PurchaseStep } from './purchase-model.ts';

/** Up to `most` things that happen to one purchase; it is asked for once at the most. */
export const purchaseSteps = (most: number): fc.Arbitrary<PurchaseStep[]> =>
  fc
    .array(
      fc.tuple(
        fc.constantFrom(...PURCHASE_EVENTS),
        // A few round amounts, so that amounts often meet, and any others.
        fc.oneof(fc.constantFrom(1000, 2000, 3000, 5000), fc.integer({ min: 1, max: 9000 })),
      ),
      { minLength: 1, maxLength: most },
    )
    .map((steps) => {
      const first = steps.findIndex(([event]) => event === 'authorize');
      return steps.filter(([event], at) => event !== 'authorize' || at === first);
    });
