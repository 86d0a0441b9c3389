import { newId, type Trx } from '../../db/atomically.ts';
import { audit } from '../../db/audit-log.ts';
import {
  chargeCode,
  type CodePurpose,
  type CodeRow,
  type CodeTimes,
  resendCode,
  returnCharge,
  storeCode,
} from '../../db/one-time-codes.ts';
import type { Programme } from '../../db/partners.ts';
import { Refusal } from '../../domain/errors.ts';
import { openBody, sealBody } from '../../vault/message-bodies.ts';
import { hashCode, isCode, newCode } from '../../vault/one-time-code.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Call } from '../route.ts';
import type { Services } from '../services.ts';
import { tenantOf } from './proof.ts';

type AnyCall = Pick<Call<unknown, unknown, unknown, unknown>, 'atomically' | 'services' | 'requestId'>;

const DIGITS = 6;

/** Where a code goes; null: nobody is told, because nobody was found. */
export type Destination = { readonly sms: string } | { readonly mail: string } | null;

interface Asked {
  readonly programme: Programme;
  readonly purpose: CodePurpose;
  readonly customerId: number | null;
  /** Index of the number or address whose limits the code counts on. */
  readonly addressIndex: Buffer;
  readonly to: Destination;
  /** Of a password reset: where the second code goes. */
  readonly second?: Destination;
  /** What the confirmation needs to know; kept sealed. */
  readonly data?: unknown;
}

/**
 * Stores a code for what was asked and sends it once that has committed. The answer does not wait for the gateway,
 * so that it takes as long where nobody is told. Throws `TOO_MANY_REQUESTS`, `TOO_MANY_ATTEMPTS`.
 */
export async function issueCode(call: AnyCall, asked: Asked): Promise<{ codeId: string } & CodeTimes> {
  const { vault } = call.services;
  const [first, second] = [newCode(DIGITS), newCode(DIGITS)];
  const stored = await call.atomically(async (trx) => {
    const codeId = newId(trx);
    const times = await storeCode(trx, {
      ...tenantOf(asked.programme),
      codeId,
      purpose: asked.purpose,
      customerId: asked.customerId,
      addressIndex: asked.addressIndex,
      codeHash: hashCode(vault, placeOf(codeId), first),
      secondCodeHash: asked.second === undefined ? null : hashCode(vault, secondPlaceOf(codeId), second),
      data: asked.data === undefined ? null : sealData(vault, asked.programme.partnerId, codeId, asked.data),
    });
    await noteSent(trx, asked.purpose, codeId);
    return { codeId, ...times };
  });
  deliver(call, asked.to, textOf(first));
  deliver(call, asked.second ?? null, textOf(second));
  return stored;
}

/**
 * Sends a new code in place of the old. `to` tells where, by what was kept. Throws 404, `TOO_MANY_REQUESTS`,
 * `TOO_MANY_ATTEMPTS`.
 */
export async function sendCodeAgain(
  call: AnyCall,
  look: { readonly codeId: string; readonly purpose: CodePurpose; readonly programme: Programme },
  to: (trx: Trx, row: CodeRow) => Promise<Destination>,
): Promise<void> {
  const { vault } = call.services;
  const code = newCode(DIGITS);
  const destination = await call.atomically(async (trx) => {
    const row = await resendCode(
      trx,
      { codeId: look.codeId, purpose: look.purpose, programmeId: look.programme.programmeId },
      { codeHash: hashCode(vault, placeOf(look.codeId), code), secondCodeHash: null },
    );
    await noteSent(trx, look.purpose, look.codeId);
    return await to(trx, row);
  });
  deliver(call, destination, textOf(code));
}

interface Confirmation {
  readonly codeId: string;
  readonly purpose: CodePurpose;
  readonly programmeId: number;
  readonly customerId?: number;
  readonly code: string;
  readonly secondCode?: string;
}

/**
 * Checks the codes of a confirmation; the try is counted and committed before they are looked at (channels 11).
 * The object stays until `useCode`, or until the fifth wrong try has killed it. Throws `INVALID_CODE`, 404.
 */
export async function checkCode(call: AnyCall, confirmation: Confirmation): Promise<CodeRow> {
  const { codeId, code, secondCode } = confirmation;
  const { vault } = call.services;
  const charged = await call.atomically((trx) => chargeCode(trx, confirmation));
  if (charged !== 'EXPIRED') {
    const { row } = charged;
    const right =
      isCode(vault, placeOf(codeId), code, row.code_hash) &&
      (row.second_code_hash === null ||
        isCode(vault, secondPlaceOf(codeId), secondCode ?? '', row.second_code_hash));
    if (right) {
      await call.atomically((trx) => returnCharge(trx, charged));
      return row;
    }
  }
  await call.atomically((trx) =>
    audit(trx, { action: 'code.refused', objectType: 'code', objectId: codeId, result: 'DENIED' }),
  );
  throw new Refusal('INVALID_CODE', 'The code is wrong, used or too old.');
}

/** What was kept with a code. The caller knows the shape it gave to `issueCode`. */
export function dataOf<T>(vault: Vault, row: CodeRow): T {
  if (row.data === null) throw new Error('a code holds nothing');
  return JSON.parse(openBody(vault, dataPlace(row.partner_id, row.code_id), row.data).toString('utf8')) as T;
}

/** Tells somebody of a change, without a secret in it; best effort, as every message that waits for no relay. */
export function notify(call: AnyCall, to: Destination, text: string): void {
  deliver(call, to, text);
}

const placeOf = (codeId: string): string => `customer-code:${codeId}`;
const secondPlaceOf = (codeId: string): string => `customer-code:${codeId}:second`;

const dataPlace = (partnerId: number, codeId: string) => ({
  partnerId,
  table: 'one_time_codes',
  rowId: codeId,
  field: 'data',
});

const sealData = (vault: Vault, partnerId: number, codeId: string, data: unknown): Buffer =>
  sealBody(vault, dataPlace(partnerId, codeId), Buffer.from(JSON.stringify(data)));

const textOf = (code: string): string =>
  `Your code is ${code}. It is good for 5 minutes. We never ask you for it.`;

const noteSent = async (trx: Trx, purpose: CodePurpose, codeId: string): Promise<void> =>
  await audit(trx, { action: 'code.sent', objectType: 'code', objectId: codeId, after: { purpose } });

// A code must not wait in the outbox, where it could be read; whoever gets none asks for another.
function deliver({ services, requestId }: AnyCall, to: Destination, text: string): void {
  if (to === null) return;
  void sendTo(services, to, text, requestId).then((outcome) => {
    if (outcome !== 'ACCEPTED') services.logger.warn({ requestId, outcome }, 'a message was not sent');
  });
}

async function sendTo(services: Services, to: NonNullable<Destination>, text: string, messageId: string) {
  return 'sms' in to
    ? await services.sms.send({ to: to.sms, text })
    : await services.mail.send({
        messageId: `code-${messageId}`,
        to: to.mail,
        subject: 'Your account',
        text,
      });
}
