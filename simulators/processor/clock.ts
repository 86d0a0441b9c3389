import { z } from 'zod';
import { invalid } from './errors.ts';
import { addDuration } from './iso-duration.ts';
import type { Settings } from './store/settings.ts';

const MODES = ['real', 'frozen', 'scaled'] as const;

/** Body of `PUT /simulator/clock` (spec 6.4); `advance` is an ISO 8601 duration on top of `at` or now. */
export const clockBody = z.strictObject({
  mode: z.enum(MODES).optional(),
  at: z.iso.datetime({ offset: true }).optional(),
  advance: z.string().max(40).optional(),
  scale: z.number().positive().max(1_000_000).optional(),
});

/** What the clock shows. `scale` is 1 unless the mode is `scaled`. */
export interface ClockState {
  readonly mode: (typeof MODES)[number];
  readonly at: string;
  readonly scale: number;
}

/** The simulator's own time; it governs what is written into messages, never deadlines or timers. */
export interface Clock {
  now(): Date;
  state(): ClockState;
  /** Sets the clock. Error: 400 for a duration that is none, or that leaves the calendar. */
  set(change: z.output<typeof clockBody>): ClockState;
}

/** From the moment `sinceMs` of the machine on, the clock goes on from `atMs` with `scale`. */
interface Course {
  readonly mode: ClockState['mode'];
  readonly sinceMs: number;
  readonly atMs: number;
  readonly scale: number;
}

/** A clock whose course is kept in `settings`; `machine` is the time underneath. */
export function createClock(settings: Settings, machine: () => Date): Clock {
  const kept = settings.read('clock');
  const start = machine().getTime();
  let course: Course =
    kept === null ? { mode: 'real', sinceMs: start, atMs: start, scale: 1 } : (JSON.parse(kept) as Course);
  const now = (): Date => {
    const pastMs = machine().getTime() - course.sinceMs;
    return new Date(course.atMs + Math.round(course.mode === 'frozen' ? 0 : pastMs * course.scale));
  };
  const state = (): ClockState => ({ mode: course.mode, at: now().toISOString(), scale: course.scale });
  return {
    now,
    state,
    set: (change) => {
      const mode = change.mode ?? course.mode;
      const sinceMs = machine().getTime();
      // Back to real without another wish: the clock of the machine again.
      const real = change.mode === 'real' ? machine() : now();
      const from = change.at === undefined ? real : new Date(change.at);
      const at = change.advance === undefined ? from : addDuration(from, change.advance);
      if (at === null || at.getUTCFullYear() > 9999) {
        throw invalid([{ field: 'advance', message: 'must be an ISO 8601 duration like P7D' }]);
      }
      const scale = mode === 'scaled' ? (change.scale ?? course.scale) : 1;
      course = { mode, sinceMs, atMs: at.getTime(), scale };
      settings.write('clock', JSON.stringify(course));
      return state();
    },
  };
}
