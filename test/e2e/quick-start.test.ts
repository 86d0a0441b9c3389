import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { drawPictures } from '../../cli/demo/pictures.ts';
import { type Quickstart, readQuickstart } from '../../cli/quickstart.ts';

/** The four requests of the documents' quick start; only hosts, certificates, pictures, key and ids are ours. */
describe('the quick start of the documents', () => {
  let quickstart: Quickstart;
  let folder: string;
  let picture: string;
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicKey = Buffer.from(keys.publicKey.export({ type: 'spki', format: 'pem' })).toString('base64');
  let customerId: number;
  let balanceId: string;

  const curl = (path: string, ...args: string[]) => {
    const { certificate, key } = quickstart.partner;
    const ours = ['--silent', '--cacert', quickstart.caCertificate, '--write-out', '\n%{http_code}'];
    return run([
      ...args,
      ...ours,
      '--cert',
      certificate,
      '--key',
      key,
      `${quickstart.certificateUrl}${path}`,
    ]);
  };

  beforeAll(async () => {
    const running = readQuickstart(inject('stackDataDir'));
    if (running === null) throw new Error('no stack runs');
    quickstart = running;
    folder = mkdtempSync(join(tmpdir(), 'cardloom-curl-'));
    picture = join(folder, 'someFile.jpg');
    writeFileSync(picture, (await drawPictures()).face.bytes);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('1: adds a user', async () => {
    const user = {
      firstName: 'John',
      lastName: 'Doe',
      phone: '481234567899',
      email: 'john.doe@verestro.com',
      birthDate: '2000-01-01',
      state: 'VERIFIED',
      kyc: 'SUCCESS',
    };
    const answer = await curl(
      '/lifecycle/v1/wallet',
      ...['-X', 'POST', '--header', 'Content-Type: application/json', '--header', 'Accept: application/json'],
      ...['--header', 'Issuer-Code: sandbox', '--data-raw', JSON.stringify(user, null, 4)],
    );
    expect(answer).toMatchObject({ status: 201, body: { id: expect.any(Number), kyc: 'SUCCESS' } });
    customerId = Number(answer.body['id']);
  });

  it('2: creates the verification form', async () => {
    const fields = [
      ...['firstName=Leon', 'lastName=Bakiewicz', `imageFace=@${picture}`, 'street=Pieklo'],
      ...['pesel=70010155587', 'number=17a', 'city=Lublin', 'birthDate=1970-01-01', 'postCode=20-128'],
      ...[`imageFront=@${picture}`, `imageBack=@${picture}`, 'identityCardNo=ASD123456', 'apartment=2'],
      ...['documentType=passport', 'country=PL', 'documentExpirationDate=2025-01-30'],
      ...['nationality=polish', 'riskLvl=LOW'],
    ];
    const answer = await curl(
      `/secure/customers/${customerId}/verification`,
      ...['--location', '--request', 'POST', '--header', 'Content-Type: multipart/form-data'],
      ...['--header', 'Accept: application/json', ...fields.flatMap((field) => ['--form', field])],
    );
    expect(answer).toMatchObject({ status: 201, body: { userId: customerId } });
  });

  it('3: creates a balance', async () => {
    const answer = await curl(
      `/secure/customers/${customerId}/balances`,
      ...['--location', '--request', 'POST', '--header', 'Content-Type: application/json'],
      ...['--header', 'Accept: application/json', '--data-raw', '{\n    "currency": "EUR"\n }'],
    );
    expect(answer).toMatchObject({ status: 201, body: { currency: 'EUR', amount: 0 } });
    balanceId = String(answer.body['id']);
  });

  it('4: creates a virtual card, which only the holder of the key can read', async () => {
    const body = { balanceId, configId: '0019167984', dcUserId: customerId };
    const answer = await curl(
      `/secure/customers/${customerId}/cards/virtual`,
      ...['--location', '--request', 'POST', '--header', 'Content-Type: application/json'],
      ...['--header', 'Accept: application/json', '--header', 'Encrypt-Response: true'],
      ...['--header', `Public-Key: ${publicKey}`, '--data-raw', JSON.stringify(body, null, 4)],
    );
    expect(answer.status).toBe(201);
    const { plaintext } = await compactDecrypt(String(answer.body['payload']), keys.privateKey);
    const card = JSON.parse(new TextDecoder().decode(plaintext)) as Record<string, unknown>;
    // Compared as booleans: a failing comparison would print card data.
    expect(/^555544[0-9]{10}$/.test(String(card['cardNo']))).toBe(true);
    expect(/^[0-9]{3}$/.test(String(card['cvv']))).toBe(true);
    expect(card['exp']).toMatch(/^20[0-9]{2}-[01][0-9]-[0-3][0-9]$/);
  });
});

interface CurlAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const run = (args: readonly string[]): Promise<CurlAnswer> =>
  new Promise((resolve, reject) => {
    execFile('curl', [...args], (error, output) => {
      if (error !== null) return reject(new Error(`curl ended with ${String(error.code)}`));
      const at = output.lastIndexOf('\n');
      const text = output.slice(0, at);
      return resolve({
        status: Number(output.slice(at + 1)),
        body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
      });
    });
  });
