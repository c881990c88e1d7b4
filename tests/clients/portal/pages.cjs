// Every page, in light and in dark, wide and narrow, as axe judges it; and pictures of them all. Reached by a link that is good once, and by the keyboard.

'use strict';

const { Visitor, assert, becomes, run, stop, tm } = require('./kit.cjs');
const { overview } = require('./words.cjs');

const WATCHED = 'monitor={"interval":"3s","timeout":"2900ms","tolerated_failures":0}';
const endpoints = (...all) => `endpoint=${JSON.stringify(all)}`;
const at = (name, host, more = {}) => ({ name, target: `10.53.0.${host}`, ...more });

async function prepare() {
  await tm('profile', 'create', 'contoso', 'routing_method=priority', WATCHED, endpoints(at('us', 11), at('europe', 12), at('asia', 13)));
  await tm('profile', 'create', 'shop', 'routing_method=weighted', WATCHED, endpoints(at('one', 21, { weight: 3 }), at('two', 22)));
  await tm('profile', 'create', 'down', 'routing_method=priority', WATCHED, endpoints(at('gone', 99), at('gone-too', 98)));
  await tm('profile', 'create', 'empty', 'routing_method=priority');
  await tm('profile', 'create', 'world', 'routing_method=priority', WATCHED, endpoints({ name: 'contoso', type: 'nested', target_profile: 'contoso' }, { name: 'shop', type: 'nested', target_profile: 'shop' }));
}

// Paths, and what is there when a page is whole.
const PAGES = {
  profiles: ['/profiles', (page) => page.getByRole('table', { name: 'Profiles' }).getByRole('link', { name: 'world' })],
  overview: ['/profiles/contoso', (page) => page.getByRole('region', { name: 'Overview' }).getByText('Degraded').first()],
  'overview-nested': ['/profiles/world', (page) => page.getByRole('region', { name: 'Overview' }).getByText('contoso').first()],
  'overview-down': ['/profiles/down', (page) => page.getByText('Every endpoint is down.')],
  'overview-empty': ['/profiles/empty', (page) => page.getByText('No endpoints yet').first()],
  endpoints: ['/profiles/contoso/endpoints', (page) => page.getByRole('list', { name: 'Endpoints' }).getByText('Degraded').first()],
  configuration: ['/profiles/contoso/configuration', (page) => page.getByLabel('Probing interval')],
  measurements: ['/profiles/contoso/measurements', (page) => page.getByText('tm geo rtt')],
  traffic: ['/profiles/contoso/traffic', (page) => page.getByText('It is off for this profile')],
  test: ['/profiles/contoso/test', (page) => page.locator('pre.dig')],
  activity: ['/profiles/contoso/activity', (page) => page.getByRole('img', { name: /^detect/ }).first()],
  services: ['/services', (page) => page.getByText('pip-virginia').first()],
  node: ['/node', (page) => page.getByRole('heading', { name: 'Tables' })],
  missing: ['/no/such/page', (page) => page.getByRole('heading', { name: 'There is no such page' })],
};

async function judge(visitor, name) {
  await visitor.axe(name);
  await visitor.picture(`page-${name}`);
}

// A failover to look at: of an endpoint that was seen to be up.
async function failOver(browser) {
  const visitor = await Visitor.of(browser);
  await visitor.followLink();
  await visitor.page.goto('/profiles/contoso');
  await overview(visitor, 'us', 'Online', '100 %');
  await stop('us');
  await overview(visitor, 'us', 'Degraded', '0 %');
  visitor.check();
  await visitor.context.close();
}

run(async (browser) => {
  await prepare();
  await failOver(browser);
  for (const colorScheme of ['light', 'dark']) {
    const visitor = await Visitor.of(browser, { colorScheme });
    const { page } = visitor;
    await page.goto('/profiles');
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await judge(visitor, `sign-in-${colorScheme}`);
    await visitor.followLink();
    assert.equal(page.url(), 'https://127.0.0.1:8443/profiles');
    for (const [name, [path, whole]] of Object.entries(PAGES)) {
      await page.goto(path);
      await whole(page).waitFor();
      await judge(visitor, `${name}-${colorScheme}`);
    }
    await page.goto('/profiles');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('dialog').waitFor();
    await judge(visitor, `create-${colorScheme}`);
    await page.goto('/profiles/contoso/endpoints');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('dialog').waitFor();
    await judge(visitor, `endpoint-${colorScheme}`);
    await page.getByRole('dialog').getByLabel('Type', { exact: true }).selectOption({ label: 'Nested endpoint' });
    await page.getByRole('dialog').getByLabel('Target profile').fill('wor');
    await becomes(page, () => page.locator('datalist option').evaluateAll((all) => all.map((option) => option.value)), ['world']);
    await judge(visitor, `nested-${colorScheme}`);
    await preloads(page);
    visitor.check();
    await visitor.context.close();
  }
  await narrow(browser);
});

// Whatever a page loads of scripts is named by the page itself, so that it is asked for at once.
async function preloads(page) {
  const [loaded, named] = await page.evaluate(() => [
    performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname).filter((path) => path.endsWith('.js')),
    [...document.querySelectorAll('link[rel=modulepreload], script')].map((element) => new URL(element.href ?? element.src).pathname),
  ]);
  assert.deepEqual([...new Set(loaded)].sort(), named.sort());
}

// As on a telephone: nothing sticks out. And by the keyboard alone: to the first profile and its pages.
async function narrow(browser) {
  const visitor = await Visitor.of(browser, { viewport: { width: 380, height: 800 } });
  const { page } = visitor;
  await visitor.followLink();
  for (const [name, [path, whole]] of Object.entries(PAGES)) {
    await page.goto(path);
    await whole(page).waitFor();
    await becomes(page, () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true).catch(() => assert.fail(`${name} is wider than the window`));
    await visitor.picture(`page-${name}-narrow`);
  }
  await page.goto('/profiles');
  await page.getByRole('table', { name: 'Profiles' }).waitFor();
  await page.keyboard.press('Tab');
  await becomes(page, () => page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
  await page.getByRole('table', { name: 'Profiles' }).getByRole('link', { name: 'shop' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'shop', level: 1 }).waitFor();
  visitor.check();
}
