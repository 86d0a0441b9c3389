import { randomUUID } from 'node:crypto';

/** The caller's request id when it is well formed, else a new one (channels 3). */
export const requestIdOf = (sent: string | undefined): string =>
  sent !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(sent) ? sent : randomUUID();
