import type { Command } from './command.ts';

/** Every command by name, loaded when it is asked for. A new command is one line here and one file. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).startCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  reset: async () => (await import('./reset.ts')).resetCommand,
  api: async () => (await import('./role.ts')).apiCommand,
  worker: async () => (await import('./role.ts')).workerCommand,
  codec: async () => (await import('./role.ts')).codecCommand,
  simulators: async () => (await import('./role.ts')).simulatorsCommand,
  config: async () => (await import('./config-check.ts')).configCommand,
  migrate: async () => (await import('./migrate.ts')).migrateCommand,
  child: async () => (await import('./child.ts')).childCommand,
  simulate: async () => (await import('./operate/simulate.ts')).simulateCommand,
  verifications: async () => (await import('./operate/verifications.ts')).verificationsCommand,
  'decide-verification': async () =>
    (await import('./operate/decide-verification.ts')).decideVerificationCommand,
  kyb: async () => (await import('./operate/kyb.ts')).kybCommand,
  screening: async () => (await import('./operate/screening.ts')).screeningCommand,
  'transactional-locks': async () =>
    (await import('./operate/transactional-locks.ts')).transactionalLocksCommand,
  'open-partner-balance': async () =>
    (await import('./operate/partner-balances.ts')).openPartnerBalanceCommand,
  'post-partner-balance': async () =>
    (await import('./operate/partner-balances.ts')).postPartnerBalanceCommand,
  adjust: async () => (await import('./operate/adjust.ts')).adjustCommand,
  'posting-ceiling': async () => (await import('./operate/posting-ceiling.ts')).postingCeilingCommand,
  trace: async () => (await import('./operate/trace.ts')).traceCommand,
  'clearing-files': async () => (await import('./operate/clearing-files.ts')).clearingFilesCommand,
  'post-clearing-file': async () => (await import('./operate/post-clearing-file.ts')).postClearingFileCommand,
  exceptions: async () => (await import('./operate/exceptions.ts')).exceptionsCommand,
  'release-hold': async () => (await import('./operate/release-hold.ts')).releaseHoldCommand,
  reconcile: async () => (await import('./operate/reconcile.ts')).reconcileCommand,
  'verify-ledger': async () => (await import('./operate/verify-ledger.ts')).verifyLedgerCommand,
  'verify-audit': async () => (await import('./operate/verify-audit.ts')).verifyAuditCommand,
  balance: async () => (await import('./operate/balance.ts')).balanceCommand,
  'balance-summary': async () => (await import('./operate/balance-summary.ts')).balanceSummaryCommand,
  limits: async () => (await import('./operate/limits.ts')).limitsCommand,
  'create-partner': async () => (await import('./operate/create-partner.ts')).createPartnerCommand,
  'create-programme': async () => (await import('./operate/create-programme.ts')).createProgrammeCommand,
  'create-operator': async () => (await import('./operate/create-operator.ts')).createOperatorCommand,
  certificates: async () => (await import('./operate/certificates.ts')).certificatesCommand,
  revoke: async () => (await import('./operate/revoke.ts')).revokeCommand,
  'leak-scan': async () => (await import('./operate/leak-scan.ts')).leakScanCommand,
};
