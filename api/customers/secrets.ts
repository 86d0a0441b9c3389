import type { PersonalData } from '../../domain/customer.ts';
import { Refusal } from '../../domain/errors.ts';
import { passwordFault, pinFault } from '../../domain/password-rule.ts';

/** Refuses a password that would be guessed (channels 11). Throws `WEAK_SECRET`. */
export function refuseWeakPassword(password: string, person: PersonalData): void {
  const { email, phone, firstName, lastName } = person;
  refuse(passwordFault(password, { email, phone, names: [firstName, lastName] }));
}

/** Refuses an app PIN that would be guessed (channels 11). Throws `WEAK_SECRET`. */
export function refuseWeakPin(pin: string, length: number, person: PersonalData): void {
  refuse(pinFault(pin, length, person));
}

function refuse(fault: string | null): void {
  if (fault !== null) throw new Refusal('WEAK_SECRET', fault);
}
