import type { RegisteredCompany } from '../../domain/company-registry.ts';
import { registeredCompany } from './schemas.ts';

/** A register of companies, or an adapter before one, as the configuration names it. */
export interface CompanyRegistry {
  readonly url: string;
  readonly apiKey: string | null;
}

export type RegistryAnswer =
  | { readonly kind: 'FOUND'; readonly company: RegisteredCompany }
  | { readonly kind: 'NOT_FOUND' }
  /** No answer in 10 s, or none that can be read. */
  | { readonly kind: 'UNAVAILABLE' };

export interface CompanyRegistryClient {
  /** `GET {url}/companies/{country}/{taxId}`: one attempt, nothing is repeated (onboarding 8.5). */
  find(company: { readonly country: string; readonly taxId: string }): Promise<RegistryAnswer>;
}

const DEADLINE_MS = 10_000;
const NOT_FOUND = 404;

/** A client of one register. */
export function createCompanyRegistryClient({ url, apiKey }: CompanyRegistry): CompanyRegistryClient {
  return {
    async find({ country, taxId }) {
      try {
        const response = await fetch(
          `${url}/companies/${encodeURIComponent(country)}/${encodeURIComponent(taxId)}`,
          {
            headers: {
              Accept: 'application/json',
              ...(apiKey === null ? {} : { Authorization: `Bearer ${apiKey}` }),
            },
            redirect: 'error',
            signal: AbortSignal.timeout(DEADLINE_MS),
          },
        );
        if (response.ok) {
          const read = registeredCompany.safeParse(await response.json());
          return read.success ? { kind: 'FOUND', company: read.data } : { kind: 'UNAVAILABLE' };
        }
        await response.body?.cancel();
        return { kind: response.status === NOT_FOUND ? 'NOT_FOUND' : 'UNAVAILABLE' };
      } catch {
        return { kind: 'UNAVAILABLE' };
      }
    },
  };
}
