import { generateKeyPairSync, randomInt } from 'node:crypto';
import { compactDecrypt } from 'jose';
import type { ApiHarness, HttpAnswer } from './harness.ts';

/** Things tests need to exist first, made over the wire as a partner would make them. */

const caller = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Value of the `Public-Key` header that `openAnswer` can open. */
export const publicKey = Buffer.from(caller.publicKey.export({ type: 'spki', format: 'pem' })).toString(
  'base64',
);

export const encrypted = { 'Encrypt-Response': 'true', 'Public-Key': publicKey } as const;

/** The object inside `{"payload": JWE}`. */
export async function openAnswer(answer: HttpAnswer): Promise<Record<string, unknown>> {
  const { plaintext } = await compactDecrypt(answer.body.payload, caller.privateKey);
  return JSON.parse(Buffer.from(plaintext).toString('utf8')) as Record<string, unknown>;
}

/** A body for `POST /lifecycle/v1/wallet` with a phone and e-mail of its own. */
export function aPerson(overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const number = String(randomInt(1e9)).padStart(9, '0');
  return {
    firstName: 'Ada',
    lastName: 'Nowak',
    phone: `48${number}`,
    email: `ada${number}@demo.test`,
    birthDate: '1990-04-12',
    state: 'VERIFIED',
    kyc: 'SUCCESS',
    ...overrides,
  };
}

/** A verified user of a programme; gives the id. */
export async function aCustomer(api: ApiHarness, issuerCode = 'sandbox'): Promise<number> {
  const as = issuerCode === 'other' ? 'other' : 'demo';
  const answer = await api.call('POST', '/lifecycle/v1/wallet', {
    as,
    headers: { 'Issuer-Code': issuerCode },
    body: aPerson(),
  });
  if (answer.status !== 201) throw new Error(`no customer: ${answer.status} ${answer.text}`);
  return answer.body.id as number;
}

/** A body for `POST /lifecycle/v1/corporations` with a taxId of its own. */
export const aCompany = (overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  name: 'Example Works',
  country: 'PL',
  taxId: String(randomInt(1e10)).padStart(10, '0'),
  email: 'office@works.test',
  phone: '48221234567',
  kyb: 'SUCCESS',
  ...overrides,
});

/** A verified corporation of the programme `sandbox`; gives the id. */
export async function aCorporation(
  api: ApiHarness,
  overrides: Record<string, unknown> = {},
): Promise<string> {
  const answer = await api.call('POST', '/lifecycle/v1/corporations', {
    headers: { 'Issuer-Code': 'sandbox' },
    body: aCompany(overrides),
  });
  if (answer.status !== 201) throw new Error(`no corporation: ${answer.status} ${answer.text}`);
  return answer.body.dcCorporationId as string;
}

/** An employee of a corporation: a user who is there, or a new verified one. */
export async function anEmployee(
  api: ApiHarness,
  dcCorporationId: string,
  who: Record<string, unknown> = { user: aPerson() },
): Promise<{ readonly employeeId: string; readonly userId: number }> {
  const answer = await api.call('POST', `/lifecycle/v1/corporations/${dcCorporationId}/employees`, {
    headers: { 'Issuer-Code': 'sandbox' },
    body: { role: 'EMPLOYEE', ...who },
  });
  if (answer.status !== 201) throw new Error(`no employee: ${answer.status} ${answer.text}`);
  return answer.body as { employeeId: string; userId: number };
}

/** A EUR balance of a user; gives the id. */
export async function aBalance(api: ApiHarness, customerId: number): Promise<string> {
  const answer = await api.call('POST', `/secure/customers/${customerId}/balances`, {
    body: { currency: 'EUR' },
  });
  if (answer.status !== 201) throw new Error(`no balance: ${answer.status} ${answer.text}`);
  return answer.body.id as string;
}

export interface MadeCard {
  readonly customerId: number;
  readonly balanceId: string;
  readonly cardId: number;
}

/** A virtual card on a fresh balance of a fresh user. */
export async function aCard(api: ApiHarness, issuerCode = 'sandbox'): Promise<MadeCard> {
  const customerId = await aCustomer(api, issuerCode);
  const balanceId = await aBalance(api, customerId);
  const configId = api.demo.programmes[issuerCode]?.configIds['virtual'];
  const answer = await api.call('POST', `/secure/customers/${customerId}/cards/virtual`, {
    headers: encrypted,
    body: { balanceId, configId },
  });
  if (answer.status !== 201) throw new Error(`no card: ${answer.status} ${answer.text}`);
  return { customerId, balanceId, cardId: (await openAnswer(answer))['id'] as number };
}

let key = 0;

/** Puts money on a balance. */
export async function topUp(api: ApiHarness, card: MadeCard, amount: number): Promise<HttpAnswer> {
  key += 1;
  return await api.call('POST', `/secure/customers/${card.customerId}/balances/${card.balanceId}/topup`, {
    headers: { 'X-Idempotency-Key': `top-up-${key}-${card.cardId}` },
    body: { amount, currency: 'EUR' },
  });
}
