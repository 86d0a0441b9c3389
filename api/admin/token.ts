import { Refusal } from '../../domain/errors.ts';
import type { Arrival } from '../channel.ts';

export const COOKIE = 'cardloom_session';

/** The token of `Authorization: Bearer` or `X-Session-Token`; null without one. Throws where both differ. */
export function headerToken({ header }: Pick<Arrival, 'header'>): string | null {
  const bearer = /^Bearer +(\S+)$/i.exec(header('authorization') ?? '')?.[1] ?? null;
  const alias = header('x-session-token');
  if (bearer !== null && alias !== null && bearer !== alias) {
    throw new Refusal('UNAUTHENTICATED', 'Two different session tokens were sent.');
  }
  return bearer ?? alias;
}

/** The token of the panel's cookie; null without one. */
export function cookieToken({ header }: Pick<Arrival, 'header'>): string | null {
  const pairs = (header('cookie') ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === COOKIE)?.[1] ?? null;
}

/** `Set-Cookie` that hands a session to the panel, or takes it away (`token` null). */
export function sessionCookie(token: string | null, secure: boolean, maxAgeSeconds: number): string {
  const parts = [`${COOKIE}=${token ?? ''}`, 'Path=/', 'HttpOnly', 'SameSite=Strict'];
  parts.push(`Max-Age=${token === null ? 0 : maxAgeSeconds}`);
  return [...parts, ...(secure ? ['Secure'] : [])].join('; ');
}
