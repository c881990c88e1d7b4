// What goes wrong: names that are meant to do harm, lengths that fit nowhere, tabs that are out of date, a session that ends in the middle of an edit, a daemon that restarts under an
// open page. Each is told, and nothing that was typed is lost.

'use strict';

const { BASE, Visitor, ask, assert, becomes, dns, run, tm } = require('./kit.cjs');
const { save } = require('./words.cjs');

const MARKUP = '<img src=x onerror=alert(1)>';
const LONG = `long-${'x'.repeat(255)}`;

const profile = (name, prefix, target) => tm('profile', 'create', name, 'routing_method=priority', `relative_name=${prefix}`, `endpoint=[{"name":${JSON.stringify(name)},"target":"${target}","always_serve":true}]`);

async function fitsTheWindow(page, what) {
  await becomes(page, () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true).catch(() => assert.fail(`${what} does not fit the window`));
}

async function markup(visitor) {
  const { page } = visitor;
  page.on('dialog', (dialog) => visitor.faults.push(`a dialog: ${dialog.message()}`));
  const table = page.getByRole('table', { name: 'Profiles' });
  await table.getByRole('link', { name: MARKUP, exact: true }).waitFor();
  await table.getByRole('link', { name: LONG, exact: true }).waitFor();
  await fitsTheWindow(page, 'the list');
  await visitor.picture('trouble-names');
  await table.getByRole('link', { name: MARKUP, exact: true }).click();
  await page.getByRole('heading', { name: MARKUP, level: 1, exact: true }).waitFor();
  for (const tab of ['Endpoints', 'Configuration', 'Test', 'Activity']) {
    await visitor.tab(tab);
  }
  assert.equal(await page.locator('img[src=x]').count(), 0);
  await page.goto(`/profiles/${LONG}`);
  await page.getByRole('heading', { name: LONG, level: 1, exact: true }).waitFor();
  for (const tab of ['Endpoints', 'Configuration', 'Test', 'Activity', 'Overview']) {
    await visitor.tab(tab);
    await fitsTheWindow(page, tab);
  }
  await visitor.picture('trouble-long-name');
}

async function lengths(visitor) {
  const { page } = visitor;
  await page.goto('/profiles');
  await page.getByRole('button', { name: 'Create' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('y'.repeat(300));
  await dialog.getByLabel(/^DNS prefix/).fill('z'.repeat(64));
  await dialog.getByLabel(/^DNS time to live/).fill('99999999999');
  visitor.forgive(/40[04]|422/);
  await dialog.getByRole('button', { name: 'Create' }).click();
  // Beside the fields that they are about.
  const wrong = (label) => becomes(page, () => dialog.getByLabel(label).getAttribute('aria-invalid'), 'true');
  await wrong(/^DNS prefix/);
  await wrong(/^DNS time to live/);
  await visitor.picture('trouble-lengths');
  assert.equal(await dialog.getByLabel('Name', { exact: true }).inputValue(), 'y'.repeat(300));
  // Closing asks once.
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.getByText('Nothing is created yet.').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
}

async function edit(page, ttl) {
  await page.goto('/profiles/plain/configuration');
  await page.getByLabel(/^DNS time to live/).fill(ttl);
}

async function staleTab(visitor) {
  const { page } = visitor;
  const other = await visitor.context.newPage();
  await edit(page, '41');
  await edit(other, '42');
  await save({ page: other });
  await dns('plain', '42 A 192.0.2.7');
  // It is told by itself, before anything is sent; what was typed is there.
  await page.getByText('Somebody else changed this while you edited it.').waitFor();
  assert.equal(await page.getByLabel(/^DNS time to live/).inputValue(), '41');
  await visitor.picture('trouble-stale-tab');
  await page.getByRole('button', { name: 'Keep mine on top of theirs' }).click();
  await save(visitor);
  await dns('plain', '41 A 192.0.2.7');
  await other.close();
}

async function signInAgain(page, password) {
  const dialog = page.getByRole('dialog', { name: 'Sign in again' });
  await dialog.getByLabel('User', { exact: true }).fill('eve');
  await dialog.getByLabel('Password', { exact: true }).fill(password);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.waitFor({ state: 'detached' });
}

async function expired(visitor) {
  const { page } = visitor;
  visitor.forgive(/401/);
  await edit(page, '43');
  await ask('password battery staple');
  await page.locator('.save-bar').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog', { name: 'Sign in again' }).waitFor();
  await visitor.picture('trouble-session-over');
  await signInAgain(page, 'battery staple');
  await page.locator('.save-bar[data-shown=false]').waitFor({ state: 'attached' });
  await dns('plain', '43 A 192.0.2.7');
}

async function restarted(visitor) {
  const { page } = visitor;
  visitor.forgive(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_SOCKET_NOT_CONNECTED|ERR_CONNECTION_CLOSED/);
  await edit(page, '44');
  await ask('kill');
  await page.getByText('The daemon does not answer.').first().waitFor();
  // XDP goes on.
  await dns('plain', '43 A 192.0.2.7');
  await visitor.picture('trouble-daemon-gone');
  await ask('restart');
  await signInAgain(page, 'battery staple');
  await page.getByText('The daemon does not answer.').first().waitFor({ state: 'hidden' });
  assert.equal(await page.getByLabel(/^DNS time to live/).inputValue(), '44');
  await save(visitor);
  await dns('plain', '44 A 192.0.2.7');
}

// A page that is loaded again before its link is followed follows it then.
async function impatient(browser) {
  const visitor = await Visitor.of(browser);
  const { page } = visitor;
  const isSignIn = (request) => request.method() === 'POST';
  let sent = 0;
  // The first is held until the page that sent it is gone: were the route taken away before, the browser would send what it holds.
  await page.route('**/api/v1/session', (route) => {
    if (isSignIn(route.request())) sent += 1;
    return isSignIn(route.request()) && sent === 1 ? undefined : route.continue();
  });
  const asked = page.waitForRequest(isSignIn);
  await page.goto((await tm('sign-in')).trim());
  await asked;
  await page.reload();
  await page.getByRole('button', { name: /^Signed in as/ }).waitFor();
  assert.equal(page.url(), `${BASE}/profiles`);
  assert.equal(sent, 2);
  visitor.check();
  await visitor.context.close();
}

run(async (browser) => {
  await profile(MARKUP, 'markup', '192.0.2.8');
  await profile(LONG, `p${'x'.repeat(62)}`, '192.0.2.9');
  await profile('plain', 'plain', '192.0.2.7');
  const visitor = await Visitor.of(browser);
  await impatient(browser);
  await visitor.signIn();
  await markup(visitor);
  await lengths(visitor);
  await staleTab(visitor);
  await expired(visitor);
  await restarted(visitor);
  visitor.check();
});
