import { isCommonPassword } from './common-passwords.ts';

/** What is known of the owner of a password: it may not be found in it. */
export interface PasswordOwner {
  readonly email: string;
  readonly phone?: string;
  readonly names: readonly string[];
}

const MIN_LENGTH = 12;
const MAX_LENGTH = 128;
/** Shorter names occur in any text by chance. */
const SHORTEST_NAME = 3;

/**
 * Why a password is too weak (channels 11), as the sentence the caller is told; null when it may be taken. Length
 * counts characters of the NFC form.
 */
export function passwordFault(password: string, owner: PasswordOwner): string | null {
  const text = password.normalize('NFC');
  const length = [...text].length;
  if (length < MIN_LENGTH || length > MAX_LENGTH) {
    return `A password has ${MIN_LENGTH} to ${MAX_LENGTH} characters.`;
  }
  const lower = text.toLowerCase();
  if (isCommonPassword(lower)) return 'This password is one of the common ones.';
  if (wordsOf(owner).some((word) => lower.includes(word))) {
    return 'A password holds neither the e-mail address, the phone number nor a name.';
  }
  return null;
}

function wordsOf({ email, phone, names }: PasswordOwner): string[] {
  const address = email.toLowerCase();
  const words = [address, address.split('@')[0] ?? '', ...names.map((name) => name.toLowerCase())];
  return [...words, ...(phone === undefined ? [] : [phone])].filter((word) => word.length >= SHORTEST_NAME);
}

/** Facts an app PIN may not be made of. */
export interface PinOwner {
  /** `YYYY-MM-DD`. */
  readonly birthDate: string;
  readonly phone: string;
}

/** Why an app PIN of `length` digits is too weak (channels 11), or null when it may be taken. */
export function pinFault(pin: string, length: number, owner: PinOwner): string | null {
  if (!/^[0-9]+$/.test(pin) || pin.length !== length) return `A PIN has ${length} digits.`;
  const steps = new Set([...pin].slice(1).map((digit, at) => Number(digit) - Number(pin[at])));
  const [step] = steps;
  if (steps.size === 1 && step !== undefined && Math.abs(step) <= 1) {
    return 'A PIN is neither one digit repeated nor a run.';
  }
  const [year = '', month = '', day = ''] = owner.birthDate.split('-');
  const shortYear = year.slice(2);
  if ([day + month + shortYear, month + day + shortYear, shortYear + month + day].includes(pin)) {
    return 'A PIN is not the birth date.';
  }
  return owner.phone.endsWith(pin) ? 'A PIN is not the end of the phone number.' : null;
}
