import { randomBytes, randomInt } from 'node:crypto';

/** A person of the demo; another one in each run. */
export interface Person {
  readonly firstName: string;
  readonly lastName: string;
  readonly phone: string;
  readonly email: string;
  readonly birthDate: string;
  readonly identityCardNo: string;
}

/** Draws somebody whose phone and e-mail nobody else has. */
export function newPerson(): Person {
  return {
    firstName: 'Ada',
    lastName: 'Nowak',
    phone: `486${String(randomInt(100_000_000)).padStart(8, '0')}`,
    email: `ada.${randomBytes(6).toString('hex')}@demo.test`,
    birthDate: '1990-04-12',
    identityCardNo: `DEM${String(randomInt(1_000_000)).padStart(6, '0')}`,
  };
}
