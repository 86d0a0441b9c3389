import { z } from 'zod';
import { notices } from './operations.ts';
import { ruleSchema, type Rule } from './rules.ts';

/** The modes of transaction-history 9.3 that this version knows. */
export const modes = [
  'reference',
  'approve-all',
  'decline',
  'slow',
  'timeout',
  'timeout-unprocessed',
  'late',
  'error-500',
  'error-503',
  'fail-after-processing',
  'reset-before',
  'reset-after',
  'non-tombstoning',
  'non-idempotent',
  'rejects-forced',
  'gone',
  'triggers',
  'unreachable',
] as const;
export type ModeName = (typeof modes)[number];

const joinedModes = z.string().refine((text) => parseModes(text) !== null, {
  error: `must be one of ${modes.join(', ')}, or several joined with +`,
});

/** Body of `PUT /control/mode`. */
export const modeSchema = z.strictObject({
  mode: joinedModes,
  delayMs: z.int().min(0).max(600_000).optional(),
  jitterMs: z.int().min(0).max(600_000).optional(),
});
export type Mode = z.infer<typeof modeSchema>;

/** The names joined in `text`, or null when one of them is no mode. */
export function parseModes(text: string): readonly ModeName[] | null {
  const names = text.split('+').map((part) => modes.find((mode) => mode === part));
  return names.every((name) => name !== undefined) ? names : null;
}

/** True when the partner port is closed in this mode. */
export function isUnreachable(mode: Mode): boolean {
  return parseModes(mode.mode)?.includes('unreachable') ?? false;
}

/** The rules a mode stands for, in the order in which its names were joined. */
export function rulesOfMode(mode: Mode): readonly Rule[] {
  return (parseModes(mode.mode) ?? []).flatMap((name) =>
    rulesOf(name, mode).map((rule) => ruleSchema.parse({ name: `mode ${name}`, ...rule })),
  );
}

type RuleParts = Omit<z.input<typeof ruleSchema>, 'name'>;

function rulesOf(name: ModeName, mode: Mode): readonly RuleParts[] {
  const asked: RuleParts['match'] = { operation: ['debit', 'credit'] };
  const noticeOperations = [...notices];
  switch (name) {
    case 'reference':
    case 'unreachable':
      return [];
    case 'approve-all':
      return [{ match: asked, action: { kind: 'APPROVE' } }];
    case 'decline':
      return [{ match: { operation: ['debit'] }, action: decline(422, 'INSUFFICIENT_FUNDS') }];
    case 'slow':
      return [{ action: { kind: 'DELAY', ms: mode.delayMs ?? 800, jitterMs: mode.jitterMs ?? 0 } }];
    case 'timeout':
      return [{ action: { kind: 'PROCESS_THEN_HANG', ms: 60_000 } }];
    case 'timeout-unprocessed':
      return [{ action: { kind: 'HANG', ms: 60_000 } }];
    case 'late':
      return [{ action: { kind: 'LATE', ms: mode.delayMs ?? 3_000 } }];
    case 'error-500':
      return [{ action: { kind: 'STATUS', status: 500 } }];
    case 'error-503':
      return [{ action: { kind: 'STATUS', status: 503, headers: { 'Retry-After': '2' } } }];
    case 'fail-after-processing':
      return [{ action: { kind: 'PROCESS_THEN_STATUS', status: 500 } }];
    case 'reset-before':
      return [{ action: { kind: 'RESET', when: 'before' } }];
    case 'reset-after':
      return [{ action: { kind: 'RESET', when: 'after' } }];
    case 'non-tombstoning':
      return [{ match: { operation: ['reversal'] }, action: { kind: 'NO_TOMBSTONE' } }];
    case 'non-idempotent':
      return [{ action: { kind: 'IGNORE_KEY' } }];
    case 'rejects-forced':
      return [
        {
          match: { operation: ['force-debit', 'force-credit', 'reversal'] },
          action: {
            kind: 'STATUS',
            status: 422,
            body: { title: 'CLIENT_ERROR', detail: 'Refused by mode.' },
          },
        },
      ];
    case 'gone':
      return [{ match: { operation: noticeOperations }, action: { kind: 'STATUS', status: 410 } }];
    case 'triggers':
      return triggers.flatMap(([ending, action]) => [
        { match: { ...asked, amountEndsWith: ending }, action },
      ]);
  }
}

const decline = (status: number, title: string) => ({ kind: 'DECLINE', status, title }) as const;

const triggers = [
  ['51', decline(422, 'INSUFFICIENT_FUNDS')],
  ['61', decline(422, 'LIMITS_EXCEEDED')],
  ['59', decline(422, 'FRAUDS_DETECTED')],
  ['14', decline(404, 'BALANCE_NOT_FOUND')],
  ['96', decline(409, 'CLIENT_ERROR')],
  ['91', { kind: 'HANG', ms: 60_000 }],
] as const;
