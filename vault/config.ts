import { join } from 'node:path';
import { boolean, oneOf, type Setting, type SettingFault, text, type ValuesOf } from '../domain/settings.ts';

const COMPONENT_BYTES = 32;

function component(meaning: string): Setting<string | null> {
  return {
    ...text(meaning, { secret: true }),
    parse: (value) =>
      /^[A-Za-z0-9+/]{43}=$/.test(value) && Buffer.from(value, 'base64').length === COMPONENT_BYTES
        ? { value }
        : { fault: 'must be 32 bytes as base64' },
  };
}

const kekProvider = oneOf('where the key encryption key comes from', ['local', 'components'], {
  default: 'local',
  required: 'in-production',
});

const documentStore = text('encrypted documents, file:<folder>', {
  default: 'file:.cardloom/documents',
  required: 'in-production',
});

const anchorSink = text('where signed heads of the audit chains go, file:<folder>', {
  default: 'file:.cardloom/anchors',
  required: 'in-production',
});

/** Settings of every process that opens the vault (operations 3). */
export const vaultSettings = {
  CARDLOOM_DATA_DIR: text('data folder of a development start', { default: '.cardloom' }),
  KEK_PROVIDER: {
    ...kekProvider,
    parse: (value) =>
      value === 'transit' ? { fault: 'transit is not built yet: use components' } : kekProvider.parse(value),
  } satisfies Setting<'local' | 'components'>,
  KEK_COMPONENT_1: component('first of two parts whose XOR is the key encryption key'),
  KEK_COMPONENT_2: component('second of two parts whose XOR is the key encryption key'),
  DOCUMENT_STORE: {
    ...documentStore,
    parse: (value) => {
      if (value.startsWith('s3:')) return { fault: 's3: is not built yet: use file:<folder>' };
      return /^file:.+/.test(value) ? { value } : { fault: 'must be file:<folder>' };
    },
  } satisfies Setting<string>,
  AUDIT_ANCHOR_URL: {
    ...anchorSink,
    parse: (value) =>
      /^file:.+/.test(value)
        ? { value }
        : { fault: 'must be file:<folder>; syslog+tls: and s3: are not built yet' },
  } satisfies Setting<string>,
  SIM_PROCESSOR_KEYS: text('file of the keys shared with the processor, imported at the first start'),
  CVC2_EXPIRY_ORDER: oneOf('order of the expiry date inside a CVC2', ['YYMM', 'MMYY'], { default: 'YYMM' }),
  ALLOW_SOFTWARE_HSM: boolean('card keys in software in production', { default: 'false' }),
};

export type VaultSettings = ValuesOf<typeof vaultSettings>;

/** What single settings cannot tell: combinations, and what production refuses (operations 4). */
export function checkVaultSettings(settings: VaultSettings, production: boolean): SettingFault[] {
  const faults: SettingFault[] = [];
  if (settings.KEK_PROVIDER === 'components') {
    for (const name of ['KEK_COMPONENT_1', 'KEK_COMPONENT_2'] as const) {
      if (settings[name] === null)
        faults.push({ name, fault: 'missing (required by KEK_PROVIDER=components)' });
    }
    if (settings.KEK_COMPONENT_1 !== null && settings.KEK_COMPONENT_1 === settings.KEK_COMPONENT_2) {
      faults.push({ name: 'KEK_COMPONENT_2', fault: 'is equal to KEK_COMPONENT_1: their XOR is no key' });
    }
  }
  if (production && settings.KEK_PROVIDER === 'local') {
    faults.push({ name: 'KEK_PROVIDER', fault: 'local keeps its key in a file: refused in production' });
  }
  if (production && !settings.ALLOW_SOFTWARE_HSM) {
    faults.push({ name: 'ALLOW_SOFTWARE_HSM', fault: 'must be true: there is no hardware module' });
  }
  return faults;
}

/** Path of the local key encryption key. */
export const localKekPath = (settings: VaultSettings): string =>
  join(settings.CARDLOOM_DATA_DIR, 'keys', 'kek.json');

/** Path of the keys shared with the processor. */
export const processorKeysPath = (settings: VaultSettings): string =>
  settings.SIM_PROCESSOR_KEYS ?? join(settings.CARDLOOM_DATA_DIR, 'keys', 'processor-keys.json');
