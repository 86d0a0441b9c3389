import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Moves messages, stacks and causes of failures into payloads, which the codec encrypts; only the failure's
 * `type` stays readable. Bundled into the workflow sandbox, so no Node built-in may be imported here.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
