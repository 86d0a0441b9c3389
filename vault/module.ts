import { timingSafeEqual } from 'node:crypto';
import { cvc2, cvc2Key, type ExpiryOrder } from './cvc2.ts';
import { VaultFault } from './errors.ts';
import type { KeyRing } from './key-ring.ts';

/** What identifies the CVC2 of a card. `pan` is decimal digits as ASCII, `expiryDate` YYYY-MM-DD. */
export interface Cvc2Subject {
  readonly pan: Uint8Array;
  readonly expiryDate: string;
  readonly processorCardId: string;
  readonly cvkVersion: number;
  readonly cvcVersion: number;
}

/**
 * What a hardware security module does for cards. Keys are named by version and never come out; every verdict
 * is a boolean. Answers are promises because a real module is another machine.
 */
export interface SecurityModule {
  /** The version of the card verification key that new cards are made with. */
  readonly cvkVersion: number;
  generateCvc2(subject: Cvc2Subject): Promise<string>;
  verifyCvc2(subject: Cvc2Subject, candidate: string): Promise<boolean>;
}

interface ModuleKeys {
  readonly cvk: KeyRing;
  readonly cvc2ExpiryOrder: ExpiryOrder;
}

/** The module in software: no tamper protection, so production must allow it by name (cards 9). */
export function createSoftwareModule({ cvk, cvc2ExpiryOrder }: ModuleKeys): SecurityModule {
  function compute(subject: Cvc2Subject): string {
    const key = cvk.keys.get(subject.cvkVersion);
    if (key === undefined) throw new VaultFault(`key cvk version ${subject.cvkVersion} is missing`);
    const clearKey = key.export();
    const cardKey = cvc2Key(clearKey, subject.processorCardId, subject.cvcVersion);
    try {
      return cvc2(cardKey, subject.pan, subject.expiryDate, cvc2ExpiryOrder);
    } finally {
      clearKey.fill(0);
      cardKey.fill(0);
    }
  }

  return {
    cvkVersion: cvk.newest,
    async generateCvc2(subject) {
      return compute(subject);
    },
    async verifyCvc2(subject, candidate) {
      const expected = Buffer.from(compute(subject));
      const given = Buffer.from(candidate);
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}
