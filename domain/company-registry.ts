import { normalizeName } from './screening.ts';

/** What a register of companies says of one (onboarding 8.5, step 3). */
export interface RegisteredCompany {
  readonly name: string;
  readonly registryNumber: string | null;
  /** False for a company that is dissolved or struck off. */
  readonly active: boolean;
}

/** What a reviewer is told when form and register do not agree; none of it refuses the application. */
export type RegistryFlag =
  | 'REGISTRY_UNAVAILABLE'
  | 'REGISTRY_NOT_FOUND'
  | 'REGISTRY_NAME_DIFFERS'
  | 'REGISTRY_NUMBER_DIFFERS'
  | 'REGISTRY_INACTIVE';

/** How a form differs from the register; null: the register does not know the company. */
export function registryFlags(
  form: { readonly name: string; readonly registryNumber: string | null },
  registered: RegisteredCompany | null,
): RegistryFlag[] {
  if (registered === null) return ['REGISTRY_NOT_FOUND'];
  const { name, registryNumber, active } = registered;
  const numbersDiffer =
    form.registryNumber !== null && registryNumber !== null && form.registryNumber !== registryNumber;
  return [
    ...(normalizeName(form.name) === normalizeName(name) ? [] : (['REGISTRY_NAME_DIFFERS'] as const)),
    ...(numbersDiffer ? (['REGISTRY_NUMBER_DIFFERS'] as const) : []),
    ...(active ? [] : (['REGISTRY_INACTIVE'] as const)),
  ];
}
