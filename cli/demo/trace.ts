import type { CommandIo } from '../command.ts';
import { openTraceReader } from '../operate/trace.ts';
import { patiently } from './patience.ts';
import type { TracedStep } from './world.ts';

/** The reader of `cardloom trace`, asked again while the database is away. */
export function patientTrace(io: CommandIo): {
  read(transactionId: string): Promise<readonly TracedStep[]>;
  close(): Promise<void>;
} {
  const reader = openTraceReader(io);
  return {
    read: (transactionId) =>
      patiently('the decision trace', async () => {
        try {
          const [first] = await reader.read(transactionId);
          return first === undefined ? { again: 'no trace' } : { done: first.steps };
        } catch (error) {
          return { again: error instanceof Error ? error.message : 'no answer' };
        }
      }),
    close: reader.close,
  };
}
