import type { Count } from './file.ts';
import type { Difference } from './match.ts';
import { differences } from './match.ts';
import type { Cast } from './setup.ts';
import type { PartnerRecord, ScenarioWorld } from './world.ts';
import { StepFailed } from './world.ts';

/** What an expectation can look at beside the answer of its step (spec 6.5). */
export const SUBJECTS = ['balance', 'transaction', 'card', 'notifications', 'partnerCalls'] as const;
export type Subject = (typeof SUBJECTS)[number];

export const isSubject = (name: string): name is Subject => (SUBJECTS as readonly string[]).includes(name);

/** Where the subjects of a run are read. `since` are the last records of the partner's server before it. */
export interface Readers {
  readonly world: ScenarioWorld;
  readonly cast: Cast | null;
  readonly since: { readonly notifications: number; readonly calls: number };
}

/** The numbers of the last records before a run; zeros without a partner's server. */
export async function lastRecords({ partnerServer }: ScenarioWorld): Promise<Readers['since']> {
  const last = (records: readonly PartnerRecord[]): number =>
    records.reduce((most, { n }) => Math.max(most, n), 0);
  if (partnerServer === null) return { notifications: 0, calls: 0 };
  return {
    notifications: last(await partnerServer.notifications()),
    calls: last(await partnerServer.calls()),
  };
}

/** Compares one subject with what is expected of it. Throws `StepFailed` when it cannot be read. */
export async function compareSubject(
  readers: Readers,
  subject: Subject,
  expected: unknown,
  transactionId: string | null,
): Promise<{ readonly got: unknown; readonly differences: readonly Difference[] }> {
  if (subject === 'notifications' || subject === 'partnerCalls') {
    const records = await ownRecords(readers, subject);
    return compareCounts(records, expected as readonly Count[], subject);
  }
  const got = await read(readers, subject, transactionId);
  return { got, differences: differences(expected, got, subject) };
}

async function read(
  { world, cast }: Readers,
  subject: 'balance' | 'transaction' | 'card',
  transactionId: string | null,
): Promise<unknown> {
  if (world.partner === null || cast === null)
    throw new StepFailed(`${subject} can be read only with a setup`);
  const { partner } = world;
  const get = async (path: string): Promise<Record<string, unknown> | null> => {
    const answer = await partner({ method: 'GET', path });
    return answer.status === 200 ? (answer.body as Record<string, unknown>) : null;
  };
  switch (subject) {
    case 'card':
      return get(`/secure/customers/${cast.user.id}/cards/${cast.card.cardId}/summary`);
    case 'transaction':
      if (transactionId === null) throw new StepFailed('the step has no transaction');
      return get(`/secure/transactions/${transactionId}`);
    case 'balance': {
      const balance = await get(`/secure/customers/${cast.user.id}/balances/${cast.balance.id}`);
      if (balance === null) return null;
      const { availableAmount: available, heldAmount: reserved, amount: posted } = balance;
      return { ...balance, available, reserved, posted };
    }
  }
}

/** What the partner's server got since the run began, about this run's user, balance or card. */
async function ownRecords(
  { world, cast, since }: Readers,
  subject: 'notifications' | 'partnerCalls',
): Promise<readonly PartnerRecord[]> {
  const { partnerServer } = world;
  if (partnerServer === null || cast === null) {
    throw new StepFailed(`${subject} can be read only with a setup and the partner simulator`);
  }
  const records =
    subject === 'notifications' ? await partnerServer.notifications() : await partnerServer.calls();
  const first = subject === 'notifications' ? since.notifications : since.calls;
  return records.filter(({ n, body }) => n > first && isAbout(body, cast));
}

function isAbout(body: unknown, { user, balance, card }: Cast): boolean {
  const text = JSON.stringify(body) ?? '';
  const named = new RegExp(`"(customerId|userId|dcUserId)":"?${user.id}\\b|"cardId":"?${card.cardId}\\b`);
  return text.includes(balance.id) || named.test(text);
}

function compareCounts(records: readonly PartnerRecord[], expected: readonly Count[], subject: Subject) {
  const counted = expected.map(({ path, min, max }) => {
    const name = path.split('/').at(-1);
    const got = records.filter(({ operation }) => operation === name).length;
    return { path, min, max, got, holds: got >= min && (max === undefined || got <= max) };
  });
  return {
    got: Object.fromEntries(counted.map(({ path, got }) => [path, got])),
    differences: counted
      .filter(({ holds }) => !holds)
      .map(({ path, min, max, got }) => ({
        path: `${subject} ${path}`,
        expected: { min, ...(max !== undefined && { max }) },
        got,
      })),
  };
}
