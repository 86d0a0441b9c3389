import { type ExceptionKind, type ExceptionSeverity, severityOf } from './decision.ts';

/** What jobs and files raise, beside what decisions do (authorization 13, 16). */
const SEVERITIES = {
  FILE_TOTALS: 'CRITICAL',
  RECON_MISMATCH: 'CRITICAL',
} as const satisfies Record<string, ExceptionSeverity>;

export type RaisedKind = ExceptionKind | keyof typeof SEVERITIES;

/** Severity of anything that can stand in the queue; INFO ones are born resolved. */
export const severityOfKind = (kind: RaisedKind): ExceptionSeverity =>
  isOfJobs(kind) ? SEVERITIES[kind] : severityOf(kind);

const isOfJobs = (kind: RaisedKind): kind is keyof typeof SEVERITIES => Object.hasOwn(SEVERITIES, kind);
