import { readFile } from 'node:fs/promises';
import type { Hono } from 'hono';
import { findProgrammeByCode } from '../../db/partners.ts';
import { Refusal } from '../../domain/errors.ts';
import { countReads } from '../rate-limits.ts';
import { factsOf } from '../request-facts.ts';
import type { Services } from '../services.ts';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; " +
  "base-uri 'none'; frame-ancestors 'none'";

const FILES = {
  'form.html': 'text/html; charset=UTF-8',
  'form.css': 'text/css; charset=UTF-8',
  'form.js': 'text/javascript; charset=UTF-8',
} as const;

const ISSUER_CODE = /^[A-Za-z0-9_-]{1,32}$/;

/** The form of a company as a page (onboarding 8.4): `/kyb/{issuerCode}`, and `/kyb/resume` from a mailed link. */
export function mountKybForm(
  app: Hono,
  services: Pick<Services, 'engine' | 'rates' | 'isTrustedProxy'>,
): void {
  const { engine } = services;
  app.get('/kyb/:page', countReads(services), async (context) => {
    const page = context.req.param('page');
    factsOf(context).route = 'GET /kyb/{issuerCode}';
    if (page === 'form.js' || page === 'form.css')
      return context.body(await read(page), 200, headersOf(page));
    if (page !== 'resume' && !(await isOpenProgramme(page))) {
      throw new Refusal('PROGRAMME_NOT_FOUND', 'There is no such programme.');
    }
    return context.body(await read('form.html'), 200, headersOf('form.html'));
  });
  app.all('/kyb/:page', () => {
    throw new Refusal('METHOD_NOT_ALLOWED', 'This path does not take that method.', { allow: ['GET'] });
  });

  async function isOpenProgramme(issuerCode: string): Promise<boolean> {
    if (!ISSUER_CODE.test(issuerCode)) return false;
    return (await findProgrammeByCode(engine, issuerCode))?.state === 'ACTIVE';
  }
}

const read = (name: keyof typeof FILES): Promise<string> =>
  readFile(new URL(`./page/${name}`, import.meta.url), 'utf8');

// The token of a mailed link stands in the address until the page takes it out: it must not travel on.
const headersOf = (name: keyof typeof FILES) => ({
  'Content-Type': FILES[name],
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
});
