import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readQuickstart } from '../../cli/quickstart.ts';
import { chromiumPath, openPage, type Page } from './chromium.ts';

const browser = chromiumPath();
const dataDir = inject('stackEnvironment')['CARDLOOM_DATA_DIR'] ?? '';

/** Fills fields by their names: text, a choice, or a list of boxes to check. */
const fill = (page: Page, values: Readonly<Record<string, string | readonly string[]>>) =>
  page.evaluate(`(() => {
    for (const [name, value] of Object.entries(${JSON.stringify(values)})) {
      const inputs = [...document.querySelectorAll('#form [name="' + name + '"]')];
      if (inputs.length === 0) throw new Error('there is no ' + name);
      for (const input of inputs) {
        if (Array.isArray(value)) input.checked = value.includes(input.value);
        else input.value = value;
        input.dispatchEvent(new Event('change', { bubbles: true }));
      }
    }
  })()`);

const press = (page: Page, text: string) =>
  page.evaluate(
    `[...document.querySelectorAll('button')].find((one) => one.textContent === ${JSON.stringify(text)}).click()`,
  );

const addressAt = (prefix: string) => ({
  [`${prefix}.street`]: 'Prosta',
  [`${prefix}.number`]: '1',
  [`${prefix}.city`]: 'Warszawa',
  [`${prefix}.postCode`]: '00-001',
  [`${prefix}.country`]: 'PL',
});

// A machine without a browser has nothing to show the page in.
describe.skipIf(browser === undefined)(
  'the form of a company in a browser',
  () => {
    let page: Page;
    let folder: string;

    beforeAll(async () => {
      const quickstart = readQuickstart(dataDir);
      if (quickstart === null) throw new Error(`no stack runs in ${dataDir}`);
      folder = mkdtempSync(join(tmpdir(), 'cardloom-picture-'));
      await sharp({
        create: {
          width: 640,
          height: 420,
          channels: 3,
          background: '#808080',
          noise: { type: 'gaussian', mean: 128, sigma: 25 },
        },
      })
        .jpeg({ quality: 80 })
        .toFile(join(folder, 'picture.jpg'));
      page = await openPage(browser ?? '', `${quickstart.publicUrl}/kyb/sandbox`);
    }, 60_000);
    afterAll(async () => {
      await page.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const faultOf = (field: string) => `document.querySelector('.fault[data-field="${field}"]').textContent`;

    it('is filled in five steps, tells faults beside their fields, takes files, and is sent', async () => {
      await page.until("document.querySelector('[name=contactName]')");
      await press(page, 'Save and go on');
      await page.until(`${faultOf('contactEmail')} !== ''`);
      await fill(page, {
        contactName: 'Ada Nowak',
        contactEmail: `ada.${Date.now()}@demo.test`,
        contactPhone: '48123456789',
        termsVersion: '2026-01',
      });
      await press(page, 'Save and go on');

      await page.until("document.querySelector('[name=taxId]')");
      await fill(page, {
        name: 'Browser Works',
        legalForm: 'LIMITED_COMPANY',
        country: 'PL',
        taxId: `526${String(Date.now()).slice(-7)}`,
        registryNumber: '0000123456',
        incorporationDate: '2015-03-01',
        ...addressAt('registeredAddress'),
      });
      await press(page, 'Save and go on');

      await page.until("document.querySelector('[name=industryCode]')");
      await fill(page, {
        industryCode: '62.01',
        description: 'Writes software for other companies.',
        operatingCountries: 'PL, DE',
        customerKinds: ['COMPANIES'],
        accountPurpose: 'Cards for employees',
        expectedMonthlyVolume: '10000.00 EUR',
      });
      await press(page, 'Save and go on');

      await page.until("document.querySelector('[name=firstName]')");
      await fill(page, {
        roles: ['REPRESENTATIVE', 'BENEFICIAL_OWNER'],
        firstName: 'Ada',
        lastName: 'Nowak',
        birthDate: '1980-04-12',
        nationality: 'PL',
        phone: 'none',
        ownershipPercent: '100',
        sourceOfFunds: 'BUSINESS_INCOME',
        ...addressAt('address'),
      });
      await press(page, 'Save and go on');
      await page.until(`${faultOf('phone')} !== ''`);
      await fill(page, { phone: '48123456789' });
      await press(page, 'Save and go on');

      await page.until("document.querySelector('[type=file]')");
      await press(page, 'Send the application');
      await page.until(
        "document.getElementById('fault').textContent.includes('Registry extract: is missing')",
      );
      expect(await page.evaluate("document.getElementById('fault').textContent")).toContain(
        'Person 1, Person selfie: is missing',
      );
      const uploads = ['REGISTRY_EXTRACT', 'OWNERSHIP_STRUCTURE', 'PERSON_DOCUMENT_FRONT', 'PERSON_SELFIE'];
      for (const [before, type] of uploads.entries()) {
        await fill(page, { type });
        if (type.startsWith('PERSON_')) {
          await fill(page, { documentType: 'passport' });
          await page.evaluate("document.querySelector('[name=person]').selectedIndex = 1");
        }
        await page.chooseFile('[type=file]', join(folder, 'picture.jpg'));
        await press(page, 'Upload');
        await page.until(`document.querySelectorAll('.documents li').length === ${before + 1}`);
      }
      await press(page, 'Send the application');
      await page.until("document.getElementById('status').dataset.status === 'SUBMITTED'");
      await press(page, '2 Entity');
      await page.until("document.querySelector('[name=taxId]').disabled");
      expect(await page.evaluate("document.querySelector('[name=name]').value")).toBe('Browser Works');
      // The browser notes answers that refuse; anything else would be a fault of the page.
      expect(page.complaints().filter((one) => !/status of 4(00|22) /.test(one))).toEqual([]);
    });

    it('goes on after a reload from the token that the tab keeps, which the address never shows', async () => {
      const kept = await page.evaluate<string>("sessionStorage.getItem('kyb')");
      const { token } = JSON.parse(kept) as { token: string };
      await page.evaluate("location.assign('/kyb/resume')");
      await page.until("document.getElementById('status')?.dataset.status === 'SUBMITTED'");
      expect(await page.evaluate('location.href')).not.toContain(token);
    });
  },
  120_000,
);
