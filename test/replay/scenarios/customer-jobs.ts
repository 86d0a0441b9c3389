import type { CompanyBlock } from '../../../activities/database/company-jobs.ts';
import type { Activities } from '../../../activities/index.ts';
import { begin, neverEnds, type Scenario, type Stage, untilItEnds, untilItWaits } from '../scenario.ts';

/** Blocks of a rescreening, in order; then there is nobody left. */
const blocks = (...lastIds: number[]): Partial<Activities> => {
  const left = [...lastIds];
  return {
    rescreenCustomers: async () => {
      const lastCustomerId = left.shift() ?? null;
      return { screened: lastCustomerId === null ? 0 : 200, locked: 1, lastCustomerId };
    },
  };
};

/** One block of applications, one of corporations; then there is nobody left. */
const companyBlocks = (): Partial<Activities> => ({
  rescreenCompanies: async ({ part, after }) => {
    const next: CompanyBlock | null =
      after === null
        ? { part, after: 'id-1' }
        : part === 'APPLICATIONS'
          ? { part: 'CORPORATIONS', after: null }
          : null;
    return { screened: after === null ? 1 : 0, locked: 0, next };
  },
});

const screenOne = (stage: Stage, path: string) =>
  begin(stage, 'corporationScreening', `corporation-screening:${path}:1`, { corporationId: path });

const rescreen = (stage: Stage, path: string, blocksPerRun?: number) =>
  begin(stage, 'rescreening', `rescreening:${path}`, blocksPerRun === undefined ? {} : { blocksPerRun });

const startJob = (stage: Stage, job: 'document-expiry' | 'lock-expiry' | 'rescreening', path: string) =>
  begin(stage, 'scheduledJob', `${job}-${path}`, { job });

/**
 * Paths of the jobs over customers: `scheduled-job`, `document-expiry`, `lock-expiry`, `rescreening`,
 * `corporation-screening`.
 */
export const customerJobScenarios: readonly Scenario[] = [
  {
    workflow: 'scheduled-job',
    path: 'locks-lifted',
    activities: { liftExpiredLocks: async () => 2 },
    play: async (stage) => await untilItEnds(await startJob(stage, 'lock-expiry', 'lifted')),
  },
  {
    workflow: 'scheduled-job',
    path: 'documents-once-a-day',
    activities: { lockExpiredDocuments: async () => 3, tellEndingDocuments: async () => 5 },
    async play(stage) {
      await untilItEnds(await startJob(stage, 'document-expiry', 'first'));
      return await untilItEnds(await startJob(stage, 'document-expiry', 'second'));
    },
  },
  {
    workflow: 'scheduled-job',
    path: 'in-flight-rescreening',
    activities: { rescreenCustomers: neverEnds },
    play: async (stage) => await untilItWaits(await startJob(stage, 'rescreening', 'in-flight'), 'MESSAGE'),
  },
  {
    workflow: 'document-expiry',
    path: 'some-locked',
    activities: { lockExpiredDocuments: async () => 3, tellEndingDocuments: async () => 5 },
    play: async (stage) => await untilItEnds(await begin(stage, 'documentExpiry', 'document-expiry:1')),
  },
  {
    workflow: 'document-expiry',
    path: 'in-flight-locking',
    activities: { lockExpiredDocuments: neverEnds },
    play: async (stage) =>
      await untilItWaits(await begin(stage, 'documentExpiry', 'document-expiry:2'), 'ACTIVITY'),
  },
  {
    workflow: 'document-expiry',
    path: 'in-flight-telling',
    activities: { lockExpiredDocuments: async () => 0, tellEndingDocuments: neverEnds },
    play: async (stage) =>
      await untilItWaits(await begin(stage, 'documentExpiry', 'document-expiry:3'), 'ACTIVITY'),
  },
  {
    workflow: 'lock-expiry',
    path: 'some-lifted',
    activities: { liftExpiredLocks: async () => 2 },
    play: async (stage) => await untilItEnds(await begin(stage, 'lockExpiry', 'lock-expiry:1')),
  },
  {
    workflow: 'lock-expiry',
    path: 'in-flight-lifting',
    activities: { liftExpiredLocks: neverEnds },
    play: async (stage) => await untilItWaits(await begin(stage, 'lockExpiry', 'lock-expiry:2'), 'ACTIVITY'),
  },
  {
    workflow: 'rescreening',
    path: 'three-blocks',
    activities: blocks(1200, 1400),
    play: async (stage) => await untilItEnds(await rescreen(stage, 'three-blocks')),
  },
  {
    workflow: 'rescreening',
    path: 'goes-on-as-new',
    activities: blocks(1200, 1400),
    async play(stage) {
      // The handle of the first run: how it hands on is the history that is wanted.
      const first = await rescreen(stage, 'goes-on-as-new', 1);
      await untilItEnds(first);
      return stage.client.workflow.getHandle(first.workflowId, firstRunOf(first));
    },
  },
  {
    workflow: 'rescreening',
    path: 'in-flight-comparing',
    activities: { rescreenCustomers: neverEnds },
    play: async (stage) => await untilItWaits(await rescreen(stage, 'in-flight-comparing'), 'ACTIVITY'),
  },
  {
    workflow: 'rescreening',
    path: 'customers-then-companies',
    activities: { ...blocks(1200), ...companyBlocks() },
    play: async (stage) => await untilItEnds(await rescreen(stage, 'customers-then-companies')),
  },
  {
    workflow: 'rescreening',
    path: 'companies-go-on-as-new',
    activities: { ...blocks(), ...companyBlocks() },
    async play(stage) {
      const first = await rescreen(stage, 'companies-go-on-as-new', 2);
      await untilItEnds(first);
      return stage.client.workflow.getHandle(first.workflowId, firstRunOf(first));
    },
  },
  {
    workflow: 'rescreening',
    path: 'in-flight-companies',
    activities: { ...blocks(), rescreenCompanies: neverEnds },
    play: async (stage) => await untilItWaits(await rescreen(stage, 'in-flight-companies'), 'ACTIVITY'),
  },
  {
    workflow: 'corporation-screening',
    path: 'locked',
    activities: { screenCorporation: async () => ({ partnerId: 1, programmeId: 2, locked: true }) },
    play: async (stage) => await untilItEnds(await screenOne(stage, 'locked')),
  },
  {
    workflow: 'corporation-screening',
    path: 'in-flight-screening',
    activities: { screenCorporation: neverEnds },
    play: async (stage) => await untilItWaits(await screenOne(stage, 'in-flight-screening'), 'ACTIVITY'),
  },
];

function firstRunOf(handle: object): string {
  const runId = 'firstExecutionRunId' in handle ? handle.firstExecutionRunId : undefined;
  if (typeof runId !== 'string') throw new Error('a started run names itself');
  return runId;
}
