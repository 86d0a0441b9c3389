import type { PlatformMessage } from './message.ts';

/** Where each message goes on the certificate listener of the platform (spec 3.1). */
export const PATHS: Readonly<Record<PlatformMessage, string>> = {
  authorization: '/processor/authorizations',
  incremental: '/processor/authorizations',
  advice: '/processor/authorizations',
  reversal: '/processor/reversals',
  clearing: '/processor/clearings',
  refund: '/processor/clearings',
  clearingFile: '/processor/clearing-files',
  event: '/processor/events',
  otp: '/processor/otp-requests',
};

/** Messages whose answer somebody at a terminal waits for: the processor gives up at the short deadline. */
export const isAtTerminal = (message: PlatformMessage): boolean =>
  message === 'authorization' || message === 'incremental';
