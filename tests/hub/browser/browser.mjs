// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Chromium and the world that page_test.py has made: its ports, passwords and keys come as JSON on
// standard input. playwright-core and axe-core are where the variable PAT_NODE_MODULES says.
import { createHmac } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export const world = JSON.parse(readFileSync(0, 'utf8'));
export const base = `http://127.0.0.1:${world.hub}`;

const require = createRequire(`${process.env.PAT_NODE_MODULES}/`);
const { chromium } = require('playwright-core');
export const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const secrets = Object.values(world.passwords);

// A secret that the page made: the logs must not hold it, nor what we print.
export function record(secret) {
  secrets.push(secret);
  const file = process.env.PAT_TEST_SECRETS;
  if (file) appendFileSync(file, `${secret}\n`);
  return secret;
}

export const redact = (text) =>
  secrets.reduce((shown, secret) => shown.replaceAll(secret, '<secret>'), String(text));

export function launch() {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    // As people's browsers do, keep pages for "back": what must not come back must not.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

// The code of an authenticator app (RFC 6238), so many steps from now.
export function totp(key, steps = 0) {
  const bits = [...key].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c)
    .toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const digest = createHmac('sha1', bytes).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1000000).padStart(6, '0');
}

export async function signIn(page, name) {
  await page.goto(`${base}/sign-in`);
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(world.passwords[name] ?? 'no password');
  await page.getByRole('button', { name: 'Sign in' }).click();
}

// A new token by the page, ending at the sight of it; its text.
export async function generate(page, description, access = 'Read, write', expires = null) {
  await page.goto(`${base}/settings/tokens/new`);
  await page.getByLabel('Description').fill(description);
  if (expires) await page.getByLabel('Expiration').selectOption(expires);
  await page.getByRole('radio', { name: new RegExp(`^${access} `) }).check();
  await page.getByRole('button', { name: 'Generate' }).click();
  return record(await page.locator('#new-token').textContent());
}

export const row = (page, name) =>
  page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });

export async function counts(page) {
  return {
    active: Number(await page.locator('#active-count').textContent()),
    inactive: Number(await page.locator('#inactive-count').textContent()),
  };
}
