import { SimulatorError } from '../errors.ts';
import type { Simulation } from '../simulation.ts';
import { dateOf } from '../wire/message.ts';
import { newTraceId } from './exchange.ts';
import { announcementOf, makeClearingFile } from './make-clearing-file.ts';

const CHECK_MS = 1_000;

/** The end of the simulated day: with `autoClearing` every open approval is cleared in a file (spec 6.1). */
export interface DayEnd {
  isOn(): boolean;
  /** Turns automatic clearing on or off; days before it was turned on are not cleared. */
  turn(on: boolean): void;
  /** Clears now what is due; called when the clock was set. */
  check(): void;
  stop(): void;
}

/** Watches the simulator's clock. */
export function createDayEnd(simulation: Simulation): DayEnd {
  const { settings, logger } = simulation;
  const check = (): void => {
    const lastDay = settings.read('autoClearing');
    const today = dateOf(simulation.now());
    if (lastDay === null || lastDay === '' || lastDay >= today) return;
    settings.write('autoClearing', today);
    clearDay(simulation, lastDay);
  };
  const timer = setInterval(() => {
    try {
      check();
    } catch (error) {
      logger.error({ err: error }, 'the end of the day failed');
    }
  }, CHECK_MS);
  timer.unref();
  const isOn = (): boolean => (settings.read('autoClearing') ?? '') !== '';
  return {
    isOn,
    turn: (on) => {
      if (on !== isOn()) settings.write('autoClearing', on ? dateOf(simulation.now()) : '');
    },
    check,
    stop: () => clearInterval(timer),
  };
}

/** One file with all approvals that are open at the end of `businessDate`; none when there are none. */
function clearDay(simulation: Simulation, businessDate: string): void {
  try {
    const open = simulation.traces
      .open()
      .filter((trace) => (trace.original.date?.slice(0, 10) ?? '') <= businessDate);
    const file = makeClearingFile(simulation, {
      businessDate,
      traces: open,
      forcePosts: null,
      defect: null,
      fileId: null,
    });
    simulation.sender
      .sendUntilAccepted(announcementOf(simulation, file, newTraceId(simulation)))
      .catch((error: unknown) => simulation.logger.error({ err: error }, 'an announcement failed'));
  } catch (error) {
    if (!(error instanceof SimulatorError)) throw error;
  }
}
