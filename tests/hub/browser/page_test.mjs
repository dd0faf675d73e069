// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The page in Chromium, as people use it. Each case prints a line; exit 1 if one failed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

import { axeSource, base, counts, generate, launch, record, redact, row, signIn, totp, world }
  from './browser.mjs';

const browser = await launch();
const options = { locale: 'en-US', timezoneId: 'UTC' };
const cases = [];
const test = (name, run) => cases.push({ name, run });
const list = `${base}/settings/tokens`;

async function open(more = {}) {
  const context = await browser.newContext({ ...options, ...more });
  context.setDefaultTimeout(15000);
  const page = await context.newPage();
  page.broken = [];  // what breaks our own policy, or fails in our own script
  page.on('pageerror', (error) => page.broken.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) page.broken.push(message.text());
  });
  return page;
}

async function close(page) {
  assert.deepEqual(page.broken, []);
  await page.context().close();
}

async function signedIn(name, more = {}) {
  const page = await open(more);
  await signIn(page, name);
  await page.waitForURL(list);
  return page;
}

function skopeoLogin(user, token) {
  return spawnSync('skopeo', ['login', '--tls-verify=false', '--authfile', `${world.dir}/auth.json`,
    '--username', user, '--password-stdin', `127.0.0.1:${world.registry}`], { input: token }).status;
}

async function menu(page, name, item) {
  await row(page, name).locator('summary').click();
  await row(page, name).locator('.items').getByText(item, { exact: true }).click();
}

const said = (page, text) => page.locator('#notice').filter({ hasText: text }).waitFor();

async function api(method, path, body, bearer) {
  const answer = await fetch(`${base}${path}`, { method, body: JSON.stringify(body),
    headers: bearer ? { Authorization: `Bearer ${bearer}` } : {} });
  return { status: answer.status, body: await answer.json() };
}

test('sign in with a code, generate, copy, use it with skopeo, see last used', async () => {
  const page = await open();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
  await page.goto(base);
  assert.equal(page.url(), `${base}/sign-in`);
  await signIn(page, 'alice');
  await page.getByLabel('Authentication code').fill('000000');
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
  await page.getByLabel('Authentication code').fill(totp(world.totp_keys.alice));
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.waitForURL(list);
  assert.deepEqual(await counts(page), { active: 0, inactive: 0 });
  const token = await generate(page, 'laptop');
  assert.match(token, /^hub_pat_[0-9A-Za-z]{55}$/);
  await page.getByRole('button', { name: 'Copy access token' }).click();
  await page.getByText('Copied').waitFor();
  assert.ok((await page.evaluate(() => navigator.clipboard.readText())) === token, 'not copied');
  await page.getByText(`docker login --username alice 127.0.0.1:${world.registry}`).waitFor();
  await page.getByText('credential manager').waitFor();
  await page.getByRole('link', { name: 'Done' }).click();
  assert.deepEqual(await counts(page), { active: 1, inactive: 0 });
  const used = row(page, 'laptop').locator('[data-label="Last used"]');
  assert.equal(await used.textContent(), 'Never');
  assert.equal(skopeoLogin('alice', token), 0);
  await page.reload();
  assert.match(await used.textContent(), /just now.*127\.0\.0\.1/);
  assert.equal(await row(page, 'laptop').locator('[data-label="Source"]').textContent(), 'Manual');
  await close(page);
});

// Nothing that the browser shows or the server sends holds the token.
async function gone(page, token, when) {
  const source = await (await page.request.get(page.url())).text();
  assert.ok(!source.includes(token), `in the source ${when}`);
  assert.ok(!(await page.content()).includes(token), `on screen ${when}`);
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? '' : ', without script';
  test(`a new token is not seen again: not by reload, back, forward or address${how}`, async () => {
    const page = await signedIn('bob', { javaScriptEnabled });
    const token = await generate(page, `once${how}`);
    const address = page.url();
    await page.getByRole('link', { name: 'Done' }).click();
    await page.waitForURL(list);
    await gone(page, token, 'after Done');
    // What the browser kept of the page, it must not show: it is sent to the list instead.
    await page.goBack({ waitUntil: 'commit' });
    assert.ok(!(await page.content()).includes(token), 'at once after back');
    await page.waitForURL(list);
    await gone(page, token, 'after back');
    await page.goForward({ waitUntil: 'commit' });
    await gone(page, token, 'after forward');
    await page.goto(address);
    await gone(page, token, 'by its address');
    const second = await generate(page, `twice${how}`);
    await page.reload();
    await gone(page, second, 'after reload');
    await said(page, 'shown once only');
    await close(page);
  });
}

test('rename, change permissions, deactivate, activate, delete; the counts follow', async () => {
  const page = await signedIn('carol');
  const token = await generate(page, 'runner', 'Read only', 'never');
  await generate(page, 'other');
  await page.goto(list);
  await menu(page, 'runner', 'Edit');
  await page.getByLabel('Description').fill('build runner');
  await page.getByRole('radio', { name: /^Read, write, delete/ }).check();
  await page.getByRole('button', { name: 'Save token' }).click();
  await said(page, 'Saved "build runner"');
  const permissions = row(page, 'build runner').locator('[data-label="Permissions"]');
  assert.equal(await permissions.textContent(), 'Read, write, delete');
  assert.deepEqual(await counts(page), { active: 2, inactive: 0 });
  await menu(page, 'build runner', 'Deactivate');
  await said(page, 'Deactivated "build runner"');
  assert.deepEqual(await counts(page), { active: 1, inactive: 1 });
  assert.notEqual(skopeoLogin('carol', token), 0);
  await menu(page, 'build runner', 'Activate');
  await said(page, 'Activated "build runner"');
  assert.deepEqual(await counts(page), { active: 2, inactive: 0 });
  assert.equal(skopeoLogin('carol', token), 0);
  await menu(page, 'build runner', 'Delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  assert.deepEqual(await counts(page), { active: 2, inactive: 0 });
  await menu(page, 'build runner', 'Delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await said(page, 'Deleted "build runner"');
  assert.deepEqual(await counts(page), { active: 1, inactive: 0 });
  assert.equal(await row(page, 'build runner').count(), 0);
  assert.notEqual(skopeoLogin('carol', token), 0);
  await close(page);
});

test('several at once: deactivate, activate, delete', async () => {
  const page = await signedIn('dave');
  for (const name of ['one', 'two', 'three']) await generate(page, name);
  await page.goto(list);
  const bar = page.locator('#selected');
  assert.ok(await bar.isHidden());
  await row(page, 'one').getByRole('checkbox').check();
  await row(page, 'three').getByRole('checkbox').check();
  await bar.getByText('2 tokens selected').waitFor();
  await bar.getByRole('button', { name: 'Deactivate' }).click();
  await said(page, 'Deactivated 2 tokens');
  assert.deepEqual(await counts(page), { active: 1, inactive: 2 });
  await page.getByLabel('Select all on this page').check();
  await bar.getByRole('button', { name: 'Activate', exact: true }).click();
  await said(page, 'Activated 3 tokens');
  assert.deepEqual(await counts(page), { active: 3, inactive: 0 });
  await row(page, 'one').getByRole('checkbox').check();
  await row(page, 'two').getByRole('checkbox').check();
  await bar.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByText('Delete these 2 tokens?').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await said(page, 'Deleted 2 tokens');
  assert.deepEqual(await counts(page), { active: 1, inactive: 0 });
  assert.equal(await row(page, 'three').count(), 1);
  await close(page);
});

test('search and filters; tokens that expire soon are marked', async () => {
  const page = await signedIn('erin');
  await generate(page, 'short', 'Read only', '7');
  await generate(page, 'long', 'Read only', '90');
  await page.goto(list);
  assert.match(await row(page, 'short').textContent(), /Expires in/);
  assert.doesNotMatch(await row(page, 'long').textContent(), /Expires in/);
  await page.getByLabel('Search descriptions').fill('SHO');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${list}?text=SHO`);
  assert.equal(await page.locator('tbody tr').count(), 1);
  await menu(page, 'short', 'Deactivate');
  await said(page, 'Deactivated');
  assert.match(page.url(), /text=/);  // one stays where one was
  await page.goto(list);
  await page.getByLabel('Status').selectOption('Active');
  await page.waitForURL(`${list}?state=active`);
  assert.equal(await row(page, 'long').count(), 1);
  assert.equal(await row(page, 'short').count(), 0);
  await page.getByLabel('Source').selectOption('Auto-generated');
  await page.getByText('No token is like that').waitFor();
  await close(page);
});

test('hostile descriptions stay text', async () => {
  const page = await signedIn('erin');
  const hostile = '"><img src=x onerror=alert(1)><script>alert(2)</script>';
  page.on('dialog', () => page.broken.push('a script ran'));
  await generate(page, hostile);
  await page.goto(list);
  assert.equal(await page.locator('tbody .name').first().textContent(), hostile);
  await row(page, hostile).locator('summary').click();
  await row(page, hostile).locator('.items').getByText('Delete').click();
  assert.equal(await page.locator('#ask-names').textContent(), hostile);
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  await close(page);
});

test('with the keyboard alone', async () => {
  const page = await open();
  await page.goto(`${base}/sign-in`);
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  const type = (text) => page.keyboard.type(text);
  // Tab until it has the focus; on the way something that cannot be seen never has it.
  const tabTo = async (name) => {
    for (let i = 0; i < 40; ++i) {
      await press('Tab');
      const here = await page.evaluate(() => {
        const e = document.activeElement;
        const box = e.getBoundingClientRect();
        return { text: e.ariaLabel || e.textContent.trim(), seen: box.width > 4 && box.height > 4 };
      });
      assert.ok(here.seen, `the focus cannot be seen at ${here.text}`);
      if (here.text === name) return;
    }
    assert.fail(`Tab does not come to ${name}`);
  };
  await type('frank');
  await press('Tab');
  await type(world.passwords.frank);
  await press('Enter');
  await page.waitForURL(list);
  await press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to content');
  await press('Enter');
  await tabTo('Generate new token');
  await press('Enter');
  await page.waitForURL(`${list}/new`);
  await page.getByLabel('Description').focus();
  await type('typed');
  await press('Enter');
  await page.waitForURL(`${list}/created`);
  record(await page.locator('#new-token').textContent());
  await tabTo('Done');
  await press('Enter');
  await page.waitForURL(list);
  await tabTo('Actions for typed');
  await press('Enter', 'ArrowDown', 'ArrowDown');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Deactivate');
  await press('Escape');
  assert.equal(await page.locator('details[open]').count(), 0);
  await press('ArrowUp', 'Enter');  // opens at the last: Delete
  await page.getByRole('dialog').waitFor();
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await press('ArrowUp', 'ArrowUp', 'Enter');
  await said(page, 'Deactivated "typed"');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'notice');
  assert.deepEqual(await counts(page), { active: 0, inactive: 1 });
  await close(page);
});

test('without script', async () => {
  const page = await signedIn('grace', { javaScriptEnabled: false });
  const token = await generate(page, 'plain');
  assert.equal(skopeoLogin('grace', token), 0);
  await generate(page, 'plainer');
  await page.goto(list);
  await menu(page, 'plain', 'Deactivate');
  await said(page, 'Deactivated');
  assert.deepEqual(await counts(page), { active: 1, inactive: 1 });
  await menu(page, 'plain', 'Delete');
  await page.getByRole('heading', { name: 'Delete this token?' }).waitFor();
  await page.getByRole('button', { name: 'Delete' }).click();
  await said(page, 'Deleted "plain"');
  await page.locator('#selected').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('alert').filter({ hasText: 'Select the tokens first' }).waitFor();
  await row(page, 'plainer').getByRole('checkbox').check();
  await page.locator('#selected').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await said(page, 'Deleted "plainer"');
  await page.getByLabel('Search descriptions').fill('zzz');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByText('No token is like that').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You have signed out.').waitFor();
  await page.goto(list);
  assert.equal(page.url(), `${base}/sign-in`);
  await close(page);
});

test('change e-mail and password; the old password and other sessions end', async () => {
  const page = await signedIn('heidi');
  const other = await signedIn('heidi');
  await page.getByRole('link', { name: 'E-mail' }).click();
  await page.getByLabel('E-mail address').fill('heidi@example.com');
  await page.getByRole('button', { name: 'Save e-mail' }).click();
  await said(page, 'Your e-mail address is changed');
  assert.equal(await page.getByLabel('E-mail address').inputValue(), 'heidi@example.com');
  await page.getByRole('link', { name: 'Password' }).click();
  const next = record('a better password for heidi');
  await page.getByLabel('Current password').fill(world.passwords.heidi);
  await page.getByLabel('New password', { exact: true }).fill(next);
  await page.getByLabel('New password again').fill(next);
  await page.getByRole('button', { name: 'Change password' }).click();
  await said(page, 'Your password is changed');
  await other.reload();
  await other.getByText('Your session has ended').waitFor();
  await signIn(other, 'heidi');
  await other.getByRole('alert').waitFor();
  world.passwords.heidi = next;
  await signIn(other, 'heidi');
  await other.waitForURL(list);
  await close(other);
  await close(page);
});

async function findings(page) {
  // By the debugger, not by the page: its policy lets in no script but its own.
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => redact(html)).join(' ')}`);
}

for (const look of [{ colorScheme: 'light' }, { colorScheme: 'dark' },
  { colorScheme: 'light', viewport: { width: 390, height: 844 } }]) {
  const how = look.viewport ? 'on a phone' : look.colorScheme;
  test(`axe has no serious finding, ${how}`, async () => {
    const page = await open(look);
    const check = async (what) => assert.deepEqual(await findings(page), [], what);
    await page.goto(`${base}/sign-in`);
    await check('sign in');
    await signIn(page, 'nobody');
    await check('sign in refused');
    await signIn(page, 'alice');
    await page.waitForURL(`${base}/sign-in/code`);
    await check('code');
    await signIn(page, 'mona');
    await page.waitForURL(list);
    await check('list');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), how);
    await row(page, 'Laptop').getByRole('checkbox').check();
    await row(page, 'Laptop').locator('summary').click();
    await check('menu and selection');
    await row(page, 'Laptop').locator('.items').getByText('Delete').click();
    await check('question');
    await page.goto(`${list}?text=zzz`);
    await check('nothing found');
    await page.goto(`${list}/new`);
    await check('new');
    await generate(page, `checked ${how}`);
    await check('created');
    await page.goto(list);
    await row(page, 'Laptop').locator('summary').click();
    await row(page, 'Laptop').getByText('Edit').click();
    await page.getByRole('button', { name: 'Save token' }).waitFor();
    await check('edit');
    await page.goto(page.url().replace(/edit$/, 'delete'));
    await check('delete');
    await page.goto(`${base}/settings/password`);
    await check('password');
    await page.goto(`${base}/settings/email`);
    await check('e-mail');
    await page.goto(`${list}/none/edit`);
    await check('not found');
    await close(page);
  });
}

test('axe finds what is planted', async () => {
  const page = await open();
  await page.goto(`${base}/sign-in`);
  await page.evaluate(() => document.querySelector('label').remove());
  assert.notDeepEqual(await findings(page), []);
  await page.context().close();
});

test('the sixth desktop sign-in evicts the oldest auto token', async () => {
  const page = await signedIn('ivan');
  const login = await api('POST', '/v2/users/login',
    { username: 'ivan', password: world.passwords.ivan });
  const bearer = record(login.body.token);
  const devices = [];
  const desktop = async (device) => {
    const { status, body } =
      await api('POST', '/v2/access-tokens/desktop-generate', { device }, bearer);
    assert.equal(status, 201);
    devices.push(record(body.data.token));
  };
  for (let i = 1; i <= 5; ++i) await desktop(`desktop ${i}`);
  await generate(page, 'by hand');
  await page.goto(`${list}?source=auto`);
  assert.equal(await page.locator('tbody tr').count(), 5);
  assert.deepEqual(await counts(page), { active: 6, inactive: 0 });
  await desktop('desktop 6');
  await page.reload();
  assert.deepEqual(await counts(page), { active: 6, inactive: 0 });
  const names = await page.locator('tbody .name').allTextContents();
  // None was used: the one made first goes. (Last use counts to the minute, too long to wait for.)
  assert.deepEqual(names.sort(), ['desktop 2', 'desktop 3', 'desktop 4', 'desktop 5', 'desktop 6']);
  assert.equal(await row(page, 'desktop 6').locator('[data-label="Source"]').textContent(),
    'Auto-generated');
  assert.notEqual(skopeoLogin('ivan', devices[0]), 0);
  assert.equal(skopeoLogin('ivan', devices[1]), 0);
  assert.equal(skopeoLogin('ivan', devices[5]), 0);
  await page.goto(list);
  assert.equal(await row(page, 'by hand').count(), 1);
  await close(page);
});

let failed = 0;
for (const { name, run } of cases) {
  if (process.argv[2] && !name.includes(process.argv[2])) continue;
  const begun = Date.now();
  try {
    await run();
    console.log(`ok    ${((Date.now() - begun) / 1000).toFixed(1).padStart(5)} s  ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${redact(error.stack)}`);
    for (const context of browser.contexts()) await context.close();
  }
}
await browser.close();
console.log(`${cases.length} cases, ${failed} failed`);
process.exit(failed > 0 || cases.length === 0 ? 1 : 0);
