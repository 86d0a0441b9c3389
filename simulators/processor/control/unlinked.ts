import { z } from 'zod';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import type { ProcessorCard } from '../store/cards.ts';
import { newTrace } from '../store/traces.ts';
import { amountMinorUnits, categoryCode, currencyCode, readBody } from '../validation.ts';
import { authorizationMessage } from '../wire/authorization.ts';
import type { RecordType } from '../wire/clearing.ts';
import { unlinkedRecord } from '../wire/clearing.ts';
import { authorize } from './authorize.ts';
import type { BilledAmount } from './billing.ts';
import { bill } from './billing.ts';
import { cardSelector, selectCard } from './card-selector.ts';
import type { ControlAnswer } from './exchange.ts';
import { sendPresentment, wholePresentment } from './clear.ts';
import { controlAnswer, newTraceId, outboundOf } from './exchange.ts';
import { findTrace } from './find-trace.ts';

const money = { ...cardSelector, amount: amountMinorUnits, currency: currencyCode };
const forcePostBody = z.strictObject({ ...money, mcc: categoryCode.default('5999') });
const refundBody = z.strictObject({ ...money, authorize: z.boolean().default(false) });

/** Records that belong to no purchase: force posts and unlinked refunds (spec 6.2). */
export function mountUnlinked(app: App, simulation: Simulation): void {
  app.post('/simulator/force-posts', async (c) => {
    const body = await readBody(c.req.raw, forcePostBody);
    const card = selectCard(simulation.cards, body);
    return c.json(
      await present(simulation, card, 'PURCHASE', bill(simulation, body, card.currency), body.mcc),
    );
  });

  app.post('/simulator/refunds', async (c) => {
    const body = await readBody(c.req.raw, refundBody);
    const card = selectCard(simulation.cards, body);
    const billed = bill(simulation, body, card.currency);
    if (body.authorize) {
      const answer = await authorizeRefund(simulation, card, billed);
      const trace = findTrace(simulation, answer.traceId);
      if (trace.outcome !== 'APPROVED') return c.json(answer);
      return c.json(await sendPresentment(simulation, trace, wholePresentment(trace)));
    }
    return c.json(await present(simulation, card, 'REFUND', billed, '5999'));
  });
}

async function present(
  simulation: Simulation,
  card: ProcessorCard,
  recordType: RecordType,
  billed: BilledAmount,
  mcc: string,
): Promise<ControlAnswer> {
  const draw = simulation.draws.next('message');
  const record = unlinkedRecord(card, recordType, billed, mcc, draw, simulation.now());
  const trace = newTrace(newTraceId(simulation), 'PRESENTMENT', record);
  simulation.traces.insert({
    ...trace,
    clearedMinorUnits: billed.amount,
    clearings: 1,
    finallyCleared: true,
  });
  const message = recordType === 'REFUND' ? 'refund' : 'clearing';
  const exchange = await simulation.sender.sendUntilAccepted(
    outboundOf(trace.traceId, message, record, draw),
  );
  return controlAnswer(trace.traceId, record, exchange);
}

function authorizeRefund(
  simulation: Simulation,
  card: ProcessorCard,
  billed: BilledAmount,
): Promise<ControlAnswer> {
  const { original, ...billing } = billed;
  const refund = {
    type: 'adjustment' as const,
    adjustmentReason: 'REFUND' as const,
    billing,
    original,
    mcc: '5999',
    merchant: 'SIMULATOR SHOP',
    acquirerCountry: 'POL',
    captureMode: 'manual' as const,
    expiry: card.expiry,
    pinBlock: null,
    payload: null,
    pinVerdict: null,
    threeDs: null,
    cashbackMinorUnits: null,
    preAuthorization: false,
    partialApproval: false,
  };
  return authorize(simulation, 'CREDIT_AUTHORIZATION', (draw, now) =>
    authorizationMessage(card, refund, draw, now),
  );
}
