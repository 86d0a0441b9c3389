import { Difference, expectEqual, expectThat } from './difference.ts';
import type { Notice, ReceivedRequest } from './partner-control.ts';
import { eventually } from './patience.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

export interface ToldFacts {
  readonly verificationId: string;
  readonly topUpId: string;
  readonly purchaseId: string;
  readonly refusedId: string;
  /** Name of the rule by which the partner refused one first attempt. */
  readonly refusal: string;
}

/** Step 9: the partner was told of each step once; the refused attempt came again with same key and bytes. */
export async function checkNotifications(world: World, facts: ToldFacts): Promise<Seen<null>> {
  const expected = expectedNotices(facts);
  const notices = await eventually(
    "the partner's inbox",
    `${expected.length} notifications`,
    () => ownNotices(world, facts),
    (found) => found.length >= expected.length,
  );
  expectEqual("the partner's inbox", expected, notices.map(titleOf).sort());
  const { key, attempts } = await findResend(world, facts.refusal);
  await world.partnerServer.removeRule(facts.refusal);
  const keys = new Set(notices.flatMap((one) => one.key ?? []));
  expectEqual('violations of the contract', [], await world.partnerServer.violationsOf(keys));
  return {
    happened: 'partner told of each step',
    figures: { notifications: notices.length, 'one refused': `attempt ${attempts}, same key and bytes` },
    link: world.linkTo(`notification-delivery:${key}`),
    facts: null,
  };
}

const expectedNotices = ({ verificationId, topUpId, purchaseId, refusedId }: ToldFacts): string[] =>
  [
    `verificationInProgress ${verificationId}`,
    `verificationAccepted ${verificationId}`,
    `SUCCESS CLEARED ${topUpId}`,
    `SUCCESS AUTHORIZED ${purchaseId}`,
    `DECLINED AUTHORIZED ${refusedId}`,
    `SUCCESS CLEARED ${purchaseId}`,
  ].sort();

/** The notifications about this story; a lost authorization that the network took back is not part of it. */
async function ownNotices({ partnerServer }: World, facts: ToldFacts): Promise<Notice[]> {
  const ids = new Set<unknown>([facts.verificationId, facts.topUpId, facts.purchaseId, facts.refusedId]);
  return (await partnerServer.inbox()).filter(({ body }) =>
    ids.has(body?.['verificationId'] ?? transactionOf(body)['id']),
  );
}

function titleOf({ kind, body }: Notice): string {
  if (kind !== 'transaction') return `${kind} ${String(body?.['verificationId'])}`;
  const { status, id } = transactionOf(body);
  return `${String(body?.['status'])} ${String(status)} ${String(id)}`;
}

const transactionOf = (body: Notice['body']): Record<string, unknown> =>
  (body?.['transaction'] ?? {}) as Record<string, unknown>;

async function findResend(world: World, refusal: string): Promise<{ key: string; attempts: number }> {
  const requests = await world.partnerServer.requestsOf('transaction');
  const key = requests.find((one) => one.rule === refusal)?.key;
  if (key === undefined || key === null) throw new Difference('a refused notification', 'one', 'none');
  const attempts = requests.filter((one) => one.key === key);
  const statuses = attempts.map((one) => one.answer?.status);
  expectThat(
    'attempts of the refused notification',
    isResend(attempts),
    '503, then 204, same bytes',
    statuses,
  );
  return { key, attempts: attempts.length };
}

const isResend = (attempts: readonly ReceivedRequest[]): boolean =>
  attempts.length >= 2 &&
  attempts[0]?.answer?.status === 503 &&
  attempts.at(-1)?.answer?.status === 204 &&
  new Set(attempts.map((one) => one.bodySha256)).size === 1;
