import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptors } from '@temporalio/worker';
import type { Logger } from 'pino';
import { classify, toFailure } from '../activities/errors.ts';
import { sqlState } from '../db/atomically.ts';

/** Logs each failed attempt of an activity once, classified, without messages: they may hold data. */
export const logFailures =
  (logger: Logger) =>
  (context: Context): ActivityInterceptors => ({
    inbound: {
      async execute(input, next) {
        try {
          return await next(input);
        } catch (error) {
          // A worker that drains takes its activities back; they run again elsewhere.
          if (!context.cancellationSignal.aborted) tell(logger, context, error);
          throw toFailure(error);
        }
      },
    },
  });

function tell(logger: Logger, { info }: Context, error: unknown): void {
  const failure = classify(error);
  const fields = {
    activityType: info.activityType,
    workflowId: info.workflowExecution?.workflowId,
    attempt: info.attempt,
    failure,
    ...describe(error),
  };
  if (failure === 'EXPECTED') logger.info(fields, 'activity to be tried again');
  else if (failure === 'FINAL') logger.warn(fields, 'activity refused');
  else logger.error(fields, 'activity failed');
}

function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { fault: 'unknown' };
  const code = sqlState(error) ?? ('code' in error ? error.code : undefined);
  return {
    fault: error instanceof ApplicationFailure ? error.type : error.name,
    ...(typeof code === 'string' ? { code } : {}),
    // The first line of a stack is the message.
    at: error.stack
      ?.split('\n')
      .slice(1, 5)
      .map((line) => line.trim()),
  };
}
