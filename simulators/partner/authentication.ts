import { createHash, timingSafeEqual } from 'node:crypto';

/** How the platform proves itself (`SIM_AUTH`). */
export type Authentication =
  | { readonly kind: 'mtls' }
  | { readonly kind: 'none' }
  | { readonly kind: 'both-any-password' }
  | { readonly kind: 'basic' | 'both'; readonly user: string; readonly password: string };

/**
 * Reads `mtls`, `none`, `basic:user:password`, `both:user:password` or `both`, which demands a certificate and
 * any user and password; null when it is none of them.
 */
export function parseAuthentication(text: string): Authentication | null {
  if (text === 'mtls' || text === 'none') return { kind: text };
  if (text === 'both') return { kind: 'both-any-password' };
  const match = /^(basic|both):([^:]+):(.+)$/.exec(text);
  if (match === null) return null;
  const [, kind, user = '', password = ''] = match;
  return { kind: kind === 'both' ? 'both' : 'basic', user, password };
}

/** True when the listener demands a client certificate. */
export function demandsCertificate(authentication: Authentication): boolean {
  return authentication.kind !== 'none' && authentication.kind !== 'basic';
}

/** Checks the password of a request, where one is demanded. Certificates are checked by the handshake. */
export function isPasswordRight(authentication: Authentication, header: string | undefined): boolean {
  if (authentication.kind === 'mtls' || authentication.kind === 'none') return true;
  if (authentication.kind === 'both-any-password') return /^Basic [A-Za-z0-9+/]+=*$/.test(header ?? '');
  const expected = Buffer.from(`${authentication.user}:${authentication.password}`).toString('base64');
  return isSameText(header ?? '', `Basic ${expected}`);
}

/** Compares two texts in a time that does not depend on where they differ. */
export function isSameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
