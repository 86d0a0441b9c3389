import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Setup } from './file.ts';
import type { CallPartnerApi, PartnerCall, ScenarioWorld } from './world.ts';
import { StepFailed } from './world.ts';

/** Who and what a scenario plays with; steps refer to it as `user`, `balance` and `card`. */
export interface Cast {
  readonly user: { readonly id: number };
  readonly balance: { readonly id: string; readonly currency: string };
  readonly card: { readonly cardId: number; readonly processorCardId: string };
}

const POLL_MS = 100;
const BALANCE_WITHIN_MS = 10_000;

/** Makes a user, a balance with money on it and a virtual card, as the partner would. Throws `StepFailed`. */
export async function prepare(world: ScenarioWorld, setup: Setup): Promise<Cast> {
  const { partner } = world;
  if (partner === null) throw new StepFailed('setup needs the partner certificate, and none is configured');
  const userId = await addUser(partner, setup.user.kyc);
  const balanceId = await findOrOpenBalance(partner, userId, setup.balance.currency);
  if (setup.balance.topUp > 0) {
    await demand(partner, 201, {
      method: 'POST',
      path: `/secure/customers/${userId}/balances/${balanceId}/reload`,
      body: {
        amount: setup.balance.topUp,
        currency: setup.balance.currency,
        transactionId: randomUUID(),
        description: 'Scenario top up',
      },
    });
  }
  const made = await demand(partner, 201, {
    method: 'POST',
    path: `/secure/customers/${userId}/cards/virtual`,
    body: { balanceId, configId: setup.card.configId, dcUserId: userId },
    encrypted: true,
  });
  // The answer holds number and CVC2: nothing but the id leaves this line.
  const cardId = Number(made['id']);
  return {
    user: { id: userId },
    balance: { id: balanceId, currency: setup.balance.currency },
    card: { cardId, processorCardId: await processorCardIdOf(world, cardId) },
  };
}

/** A person whose phone and e-mail nobody else has. */
async function addUser(partner: CallPartnerApi, kyc: string): Promise<number> {
  const user = await demand(partner, 201, {
    method: 'POST',
    path: '/lifecycle/v1/wallet',
    body: {
      firstName: 'Ada',
      lastName: 'Nowak',
      phone: `486${String(randomInt(100_000_000)).padStart(8, '0')}`,
      email: `ada.${randomBytes(6).toString('hex')}@scenario.test`,
      birthDate: '1990-04-12',
      state: 'VERIFIED',
      kyc,
    },
  });
  return Number(user['id']);
}

/** The balance that opens by itself, or one that is opened when none in this currency does. */
async function findOrOpenBalance(partner: CallPartnerApi, userId: number, currency: string): Promise<string> {
  const path = `/secure/customers/${userId}/balances`;
  const deadlineMs = Date.now() + BALANCE_WITHIN_MS;
  const find = async (): Promise<string | undefined> => {
    const { items } = await demand(partner, 200, { method: 'GET', path });
    const found = (items as Record<string, unknown>[]).find((one) => one['currency'] === currency);
    return found === undefined ? undefined : String(found['id']);
  };
  const first = await find();
  if (first !== undefined) return first;
  const opened = await partner({ method: 'POST', path, body: { currency } });
  if (opened.status === 201) return String((opened.body as Record<string, unknown>)['id']);
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (Date.now() > deadlineMs) throw new StepFailed(`no balance in ${currency}: ${sayOf(opened)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function processorCardIdOf(world: ScenarioWorld, cardId: number): Promise<string> {
  const { body } = await world.control('GET', '/simulator/cards');
  const { items } = body as { items: Record<string, unknown>[] };
  const card = items.find((one) => one['externalCardId'] === String(cardId));
  if (card === undefined) throw new StepFailed('this processor does not hold the card that was made');
  return String(card['processorCardId']);
}

/** Calls and demands a status. Throws `StepFailed` with the refusal's own words. */
async function demand(
  partner: CallPartnerApi,
  status: number,
  call: PartnerCall,
): Promise<Record<string, unknown>> {
  const answer = await partner(call);
  if (answer.status === status) return (answer.body ?? {}) as Record<string, unknown>;
  const place = call.path.replace(/(?<=\/)([0-9]+|[0-9a-f-]{36})(?=\/|$)/g, '{id}');
  throw new StepFailed(`${call.method} ${place}: ${sayOf(answer)}`);
}

function sayOf({ status, body }: { status: number; body: unknown }): string {
  const { title, detail } = (body ?? {}) as Record<string, unknown>;
  return [String(status), title, detail].filter((one) => typeof one === 'string').join(' ');
}
