import { SimulatorError, stateConflict } from '../errors.ts';
import type { Simulation } from '../simulation.ts';
import type { Trace } from '../store/traces.ts';

/** The trace by its id. Error: 404 `TRACE_NOT_FOUND`. */
export function findTrace(simulation: Simulation, traceId: string): Trace {
  const trace = simulation.traces.find(traceId);
  if (trace === null) throw new SimulatorError(404, 'TRACE_NOT_FOUND', 'There is no such trace.');
  return trace;
}

/** A trace that moves money. Errors: 404, 409 for inquiries. */
export function movingTrace(simulation: Simulation, traceId: string): Trace {
  const trace = findTrace(simulation, traceId);
  if (trace.kind === 'BALANCE_INQUIRY') throw stateConflict('An inquiry moves no money.');
  return trace;
}
