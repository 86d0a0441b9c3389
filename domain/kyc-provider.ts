import { type Setting, text } from './settings.ts';

/** A KYC provider as the settings name it; two webhook secrets may live during a rotation. */
export interface KycProviderSettings {
  readonly code: string;
  readonly url: string;
  readonly apiKey: string;
  readonly webhookSecrets: readonly string[];
}

/** `KYC_PROVIDERS`: read by the API for webhooks, by the worker for calls (operations 3). */
export const kycProviders: Setting<readonly KycProviderSettings[]> = {
  ...(text('KYC providers: JSON list of code, url, apiKey, webhookSecrets', {
    default: '[]',
    secret: true,
  }) as Setting<never>),
  parse: (value) => {
    try {
      const parsed = JSON.parse(value) as unknown;
      if (Array.isArray(parsed) && parsed.every(isKycProvider)) return { value: parsed };
    } catch {
      // Told below like every other malformed value: the text itself may hold secrets.
    }
    return { fault: 'must be a JSON list of {code, url, apiKey, webhookSecrets}' };
  },
};

function isKycProvider(value: unknown): value is KycProviderSettings {
  if (typeof value !== 'object' || value === null) return false;
  const { code, url: address, apiKey, webhookSecrets } = value as Record<string, unknown>;
  return (
    [code, address, apiKey].every((one) => typeof one === 'string' && one !== '') &&
    Array.isArray(webhookSecrets) &&
    webhookSecrets.length > 0 &&
    webhookSecrets.every((one) => typeof one === 'string' && one !== '')
  );
}
