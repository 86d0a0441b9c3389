import { beforeAll, describe, expect, it } from 'vitest';
import { type CrashReport, runCrashCampaign } from './crash.ts';

const KILLS = 50;

describe('SIGKILL of API and PostgreSQL under load, 50 times', () => {
  let report: CrashReport;
  beforeAll(async () => {
    report = await runCrashCampaign({ kills: KILLS, failpoints: null, say: (line) => console.log(line) });
  }, 300_000);

  it('hits each of the kinds of processes, and leaves time for work between', () => {
    const { api, backend, postmaster } = report.kills;
    expect(api + backend + postmaster).toBe(KILLS);
    expect(Math.min(api, backend, postmaster)).toBeGreaterThan(0);
    expect(report.approved).toBeGreaterThan(KILLS);
    expect(report.repeats).toBeGreaterThan(0);
  });

  it('loses nothing acknowledged, does nothing twice, leaves nothing stuck and the books in order', () => {
    expect(report.faults).toEqual([]);
  });
});
