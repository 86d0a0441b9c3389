import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Kysely } from 'kysely';
import { atomically, newId, type Trx } from '../db/atomically.ts';
import { createDatabase, createPool } from '../db/client.ts';
import type { CertificateScope, Database } from '../db/database.ts';
import { findProgramme } from '../db/partners.ts';
import { createPartnerBalance, postPartnerBalance } from '../db/partner-balance-postings.ts';
import type { Caller } from '../domain/actor.ts';
import { type Environment, readSettings } from '../domain/settings.ts';
import { vaultSettings } from '../vault/config.ts';
import { readKeySources } from '../vault/key-files.ts';
import { openVault, type Vault } from '../vault/vault.ts';
import { connectDemoPartner } from './demo-connection.ts';
import { ensureDemoOperators } from './demo-operators.ts';
import type { DemoFacts } from './quickstart.ts';

export interface DemoOptions {
  readonly ownerUrl: string;
  readonly engineUrl: string;
  /** PEM texts. */
  readonly certificates: Readonly<Record<'demo' | 'processor' | 'ims' | 'binSponsor', string>>;
  readonly partnerUrl: string;
  readonly partnerControlUrl: string;
  readonly simulatorToken: string;
  readonly environment: Environment;
  readonly say: (line: string) => void;
  /** Password of each demo operator by e-mail; without it there are none. */
  readonly operatorPassword?: (email: string) => string;
  /** An opened vault; without one it is opened with the settings of `environment`. */
  readonly vault?: Vault;
}

interface DemoProgramme {
  readonly issuerCode: string;
  readonly name: string;
  readonly sandbox: boolean;
  readonly balanceHolder: 'platform' | 'external';
  readonly funding: 'credit' | 'deposit';
  readonly enforcePartnerBalance: boolean;
  readonly sharedAuthorization: boolean;
  readonly kycMode: 'EXTERNAL' | 'AUTOMATIC';
  readonly virtualConfigId: string;
  readonly physicalConfigId: string;
  readonly rangeDigit: string;
}

/** The four programmes of operations 1, step 5. */
const PROGRAMMES: readonly DemoProgramme[] = [
  {
    issuerCode: 'sandbox',
    name: 'Sandbox',
    sandbox: true,
    balanceHolder: 'platform',
    funding: 'credit',
    enforcePartnerBalance: false,
    sharedAuthorization: false,
    kycMode: 'EXTERNAL',
    virtualConfigId: '0019167984',
    physicalConfigId: '0019167985',
    rangeDigit: '0',
  },
  {
    issuerCode: 'credit',
    name: 'Funded by credit',
    sandbox: true,
    balanceHolder: 'platform',
    funding: 'credit',
    enforcePartnerBalance: true,
    sharedAuthorization: false,
    kycMode: 'AUTOMATIC',
    virtualConfigId: '0019167986',
    physicalConfigId: '0019167987',
    rangeDigit: '1',
  },
  {
    issuerCode: 'external',
    name: 'Balances at the partner',
    sandbox: true,
    balanceHolder: 'external',
    funding: 'deposit',
    enforcePartnerBalance: true,
    sharedAuthorization: false,
    kycMode: 'AUTOMATIC',
    virtualConfigId: '0019167988',
    physicalConfigId: '0019167989',
    rangeDigit: '2',
  },
  {
    issuerCode: 'shared',
    name: 'Partner votes',
    sandbox: true,
    balanceHolder: 'platform',
    funding: 'deposit',
    enforcePartnerBalance: true,
    sharedAuthorization: true,
    kycMode: 'AUTOMATIC',
    virtualConfigId: '0019167990',
    physicalConfigId: '0019167991',
    rangeDigit: '3',
  },
];

const PREFUND_MINOR_UNITS = 1_000_000_00;

const caller: Caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'demo-data' },
  requestId: 'demo-data',
  ip: null,
};

/**
 * The demo partner with its programmes, products, certificates, connection and funded partner balances
 * (operations 1, step 5), inserted once; a second start only registers renewed certificates and a changed
 * partner address. Needs the partner simulator, which signs our CSR.
 */
export async function seedDemo(options: DemoOptions): Promise<DemoFacts> {
  const ownerPool = createPool({ url: options.ownerUrl, max: 2, name: 'cardloom-demo-data' });
  const enginePool = createPool({ url: options.engineUrl, max: 2, name: 'cardloom-demo-data' });
  const owner = createDatabase(ownerPool);
  const engine = createDatabase(enginePool);
  try {
    const vault = options.vault ?? (await openVaultOf(engine, options.environment));
    const partnerId = await atomically(owner, caller, (trx) => ensurePartner(trx, options));
    const connectionId = await connectDemoPartner(owner, vault, caller, partnerId, options);
    await atomically(owner, caller, async (trx) => {
      for (const one of PROGRAMMES) await ensureProgramme(trx, partnerId, connectionId, one);
    });
    const { operatorPassword } = options;
    const operators =
      operatorPassword === undefined
        ? []
        : await ensureDemoOperators(engine, vault, caller, partnerId, operatorPassword);
    return await demoFacts(owner, partnerId, operators);
  } finally {
    await owner.destroy();
    await engine.destroy();
  }
}

async function openVaultOf(engine: Kysely<Database>, environment: Environment): Promise<Vault> {
  const settings = readSettings(vaultSettings, environment, (path) => readFileSync(path, 'utf8'));
  return await openVault(engine, readKeySources(settings.values));
}

async function ensurePartner(trx: Trx, options: DemoOptions): Promise<number> {
  const known = await trx
    .selectFrom('partners')
    .select('partner_id')
    .where('code', '=', 'demo')
    .executeTakeFirst();
  const partnerId =
    known?.partner_id ??
    (
      await trx
        .insertInto('partners')
        .values({ public_id: newId(trx), code: 'demo', name: 'Demo partner' })
        .returning('partner_id')
        .executeTakeFirstOrThrow()
    ).partner_id;
  const { demo, processor, ims, binSponsor } = options.certificates;
  await ensureCertificate(trx, demo, 'demo', ['partner'], partnerId);
  await ensureCertificate(trx, processor, 'processor', ['processor'], null);
  await ensureCertificate(trx, ims, 'ims', ['ims'], null);
  await ensureCertificate(trx, binSponsor, 'bin-sponsor', ['bin_sponsor', 'internal'], null);
  return partnerId;
}

async function ensureCertificate(
  trx: Trx,
  pem: string,
  label: string,
  scopes: CertificateScope[],
  partnerId: number | null,
): Promise<void> {
  const certificate = new X509Certificate(pem);
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  await trx
    .insertInto('certificates')
    .values({
      certificate_id: newId(trx),
      partner_id: partnerId,
      label,
      scopes,
      subject: certificate.subject.replaceAll('\n', ', '),
      contact_email: null,
      key_sha256: createHash('sha256').update(key).digest('hex'),
      serial: certificate.serialNumber.toLowerCase(),
      fingerprint_sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      not_before: new Date(certificate.validFrom),
      not_after: new Date(certificate.validTo),
      state: 'ACTIVE',
      revoked_at: null,
      revocation_reason: null,
      last_used_at: null,
    })
    .onConflict((conflict) => conflict.column('fingerprint_sha256').doNothing())
    .execute();
}

async function ensureProgramme(
  trx: Trx,
  partnerId: number,
  connectionId: number,
  one: DemoProgramme,
): Promise<void> {
  const inserted = await trx
    .insertInto('programmes')
    .values({
      public_id: newId(trx),
      partner_id: partnerId,
      issuer_code: one.issuerCode,
      name: one.name,
      sandbox: one.sandbox,
      balance_holder: one.balanceHolder,
      funding: one.funding,
      enforce_partner_balance: one.enforcePartnerBalance,
      shared_authorization: one.sharedAuthorization,
      default_currency: 'EUR',
      currencies: ['EUR'],
      kyc_mode: one.kycMode,
      external_kyc: true,
      kyc_provider: 'simulator',
      country: 'PL',
      timings: JSON.stringify({
        resendDelaysMs: [1_000, 2_000, 5_000, 10_000, 30_000],
        kyc: { providerPollMs: 2_000 },
      }),
      notifications: JSON.stringify({
        kyc: connectionId,
        cardLock: connectionId,
        legacyTransaction: connectionId,
      }),
    })
    .onConflict((conflict) => conflict.column('issuer_code').doNothing())
    .returning('programme_id')
    .executeTakeFirst();
  if (inserted === undefined) return;
  const programmeId = inserted.programme_id;
  await insertProduct(trx, partnerId, programmeId, one, 'VIRTUAL', one.virtualConfigId);
  await insertProduct(trx, partnerId, programmeId, one, 'PHYSICAL', one.physicalConfigId);
  const programme = await findProgramme(trx, programmeId);
  if (programme === undefined) throw new Error('the demo programme is not there');
  await createPartnerBalance(trx, programme, { kind: programme.funding, currency: 'EUR' });
  await postPartnerBalance(trx, {
    programme,
    type: 'collateralCredit',
    amount: PREFUND_MINOR_UNITS,
    currency: 'EUR',
    externalId: `demo-prefund-${randomUUID()}`,
    description: 'Prefund of the demo programme',
  });
}

async function insertProduct(
  trx: Trx,
  partnerId: number,
  programmeId: number,
  one: DemoProgramme,
  kind: 'VIRTUAL' | 'PHYSICAL',
  configId: string,
): Promise<void> {
  const range = `555544${one.rangeDigit}${kind === 'VIRTUAL' ? '0' : '5'}`;
  await trx
    .insertInto('card_products')
    .values({
      partner_id: partnerId,
      programme_id: programmeId,
      config_id: configId,
      name: `${one.name}, ${kind.toLowerCase()} EUR`,
      kind,
      print_config_id: null,
      currency: 'EUR',
      bin_prefix: '555544',
      range_low: range.padEnd(16, '0'),
      range_high: range.padEnd(16, '9'),
      network: 'MASTERCARD',
      category: 'prepaid',
      processor_product_id: `${kind === 'VIRTUAL' ? 'VIR' : 'PHY'}-EUR-${one.issuerCode.toUpperCase()}`,
    })
    .execute();
}

async function demoFacts(
  owner: Kysely<Database>,
  partnerId: number,
  operators: DemoFacts['operators'],
): Promise<DemoFacts> {
  return await atomically(owner, caller, async (trx) => {
    const partner = await trx
      .selectFrom('partners')
      .select(['public_id', 'code'])
      .where('partner_id', '=', partnerId)
      .executeTakeFirstOrThrow();
    const rows = await trx
      .selectFrom('programmes')
      .innerJoin('card_products', 'card_products.programme_id', 'programmes.programme_id')
      .select([
        'programmes.public_id',
        'programmes.issuer_code',
        'card_products.kind',
        'card_products.config_id',
      ])
      .where('programmes.partner_id', '=', partnerId)
      .execute();
    const programmes: Record<string, DemoFacts['programmes'][string]> = {};
    for (const row of rows) {
      const known = programmes[row.issuer_code];
      programmes[row.issuer_code] = {
        id: row.public_id,
        issuerCode: row.issuer_code,
        configIds: { ...known?.configIds, [row.kind.toLowerCase()]: row.config_id },
      };
    }
    return { partner: { id: partner.public_id, code: partner.code }, programmes, operators };
  });
}
