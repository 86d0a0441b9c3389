import { uuid, z } from './shared.ts';

/** App PIN as it is sent; a wrong form is a wrong PIN, so that no guess is free. */
export const pin = () => z.string({ error: 'must be a text of digits' }).min(1).max(16);

/** A password as it is sent. */
export const password = () => z.string({ error: 'must be a text' }).min(1).max(512);

/** A six-digit code as it is sent. */
export const otp = () =>
  z.string({ error: 'must be a text of 6 digits' }).regex(/^[0-9]{6}$/, 'must be a text of 6 digits');

const signature = () =>
  z.string({ error: 'must be base64url' }).regex(/^[A-Za-z0-9_-]{1,256}$/, 'must be base64url');

const byPin = z.strictObject({ method: z.literal('APP_PIN'), appPin: pin() });
const byPassword = z.strictObject({ method: z.literal('PASSWORD'), password: password() });
const bySignature = z.strictObject({
  method: z.literal('DEVICE_SIGNATURE'),
  challengeId: uuid(),
  signature: signature(),
});

const installation = { deviceInstallationId: uuid() };

// Words are read without regard to case (channels 5), which the choice by a member is not.
const anyCase = (sent: unknown): unknown =>
  typeof sent === 'object' && sent !== null && 'method' in sent && typeof sent.method === 'string'
    ? { ...sent, method: sent.method.trim().toUpperCase() }
    : sent;

/** Body of a sign-in (channels 11). */
export const signInBody = z.preprocess(
  anyCase,
  z
    .discriminatedUnion('method', [
      byPin.extend(installation),
      byPassword.extend(installation),
      bySignature.extend(installation),
    ])
    .openapi('SignIn'),
);

/** Body of a step-up: the device proves that its user is there. */
export const stepUpBody = z.preprocess(
  anyCase,
  z.discriminatedUnion('method', [byPin, bySignature]).openapi('StepUp'),
);

export type DeviceProof = z.output<typeof stepUpBody>;
export type Proof = DeviceProof | z.output<typeof byPassword>;
