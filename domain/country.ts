import countries from 'i18n-iso-countries';

/** True for an ISO 3166-1 alpha-2 code in capitals that is in the list (channels 5). */
export const isCountry = (alpha2: string): boolean =>
  /^[A-Z]{2}$/.test(alpha2) && countries.alpha2ToAlpha3(alpha2) !== undefined;

/** ISO 3166-1 alpha-3 code of an alpha-2 code, null for one that is not in the list. */
export const alpha3Of = (alpha2: string): string | null => countries.alpha2ToAlpha3(alpha2) ?? null;

/** True for an ISO 3166-1 alpha-3 code in capitals that is in the list, as controls and transaction data write it. */
export const isAlpha3 = (alpha3: string): boolean =>
  /^[A-Z]{3}$/.test(alpha3) && countries.alpha3ToAlpha2(alpha3) !== undefined;
