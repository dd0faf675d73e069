// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// screenshots.mjs DIR: the pages as pictures, light and dark, wide and on a phone.
import { base, launch, row, signIn, totp, world } from './browser.mjs';

const out = process.argv[2];
const browser = await launch();

async function pictures(name, options) {
  const context = await browser.newContext({ locale: 'en-US', timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  const shoot = (what, full = false) =>
    page.screenshot({ path: `${out}/${what}-${name}.png`, fullPage: full });
  await page.goto(`${base}/sign-in`);
  await shoot('sign-in');
  await signIn(page, 'mona');
  if (await page.getByLabel('Authentication code').count()) {
    await shoot('code');
    await page.getByLabel('Authentication code').fill(totp(world.totp_keys.mona, 0));
    await page.getByRole('button', { name: 'Verify' }).click();
  }
  await page.waitForURL('**/settings/tokens');
  await shoot('tokens', true);
  await row(page, 'Laptop').getByRole('checkbox').check();
  await row(page, 'Old build server').getByRole('checkbox').check();
  await row(page, 'Laptop').locator('summary').click();
  await shoot('menu', true);
  await page.keyboard.press('Escape');
  await page.locator('#selected').getByRole('button', { name: 'Delete' }).click();
  await shoot('ask');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.goto(`${base}/settings/tokens?text=zzz`);
  await shoot('nothing');
  await page.goto(`${base}/settings/tokens/new`);
  await page.getByLabel('Description').fill('Build server');
  await shoot('new', true);
  await page.getByRole('button', { name: 'Generate' }).click();
  await page.locator('#new-token').waitFor();
  // A picture must hold no token, not even one that is deleted at once.
  await page.locator('#new-token').evaluate((code) => {
    code.textContent = `${code.textContent.slice(0, 8)}${'x'.repeat(code.textContent.length - 8)}`;
  });
  await shoot('created', true);
  await page.getByRole('link', { name: 'Done' }).click();
  await row(page, 'Build server').getByRole('checkbox').check();
  await page.locator('#selected').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await shoot('notice');
  await row(page, 'Laptop').locator('summary').click();
  await row(page, 'Laptop').getByRole('link', { name: 'Edit' }).click();
  await shoot('edit', true);
  await page.goto(`${base}/settings/password`);
  await page.getByLabel('Current password').fill('wrong wrong');
  await page.getByLabel('New password', { exact: true }).fill('long enough 1');
  await page.getByLabel('New password again').fill('long enough 2');
  await page.getByRole('button', { name: 'Change password' }).click();
  await shoot('password', true);
  await page.goto(`${base}/settings/email`);
  await shoot('email', true);
  await context.close();
}

const wide = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
await pictures('light', { ...wide, colorScheme: 'light' });
await pictures('dark', { ...wide, colorScheme: 'dark' });
await pictures('phone', { ...phone, colorScheme: 'light' });
await browser.close();
