// Traffic View: turned on in the browser, and off; between, whoever asked is a point on the map and a row of the table, by the endpoint they got. And real user
// measurements: the key, what is put on pages with it, and what browsers tell then.

'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { BASE, Visitor, ask, assert, becomes, run, tm } = require('./kit.cjs');

// As the database of places has them: Berlin and San Francisco; and a private network, of which nothing is known but where the query comes from.
const GERMAN = '198.51.100.0/24';
const CALIFORNIAN = '203.0.113.0/24';
const PRIVATE = '10.99.0.0/24';

const endpoint = (name, host, location) => ({ name, target: `10.53.0.${host}`, endpoint_location: location, always_serve: true });
const asked = async (network, address, times) => {
  for (let time = 0; time < times; time += 1) await ask(`dig ${network} seen = ${address}`);
};

// The table, without the latency.
const rows = (page) => page.locator('table.plain tbody tr').evaluateAll((all) => all.map((row) => [...row.cells].slice(0, 4).map((cell) => cell.textContent)));
// The points: from the left and from the top, what they say, and the colour as the endpoint's number.
const points = (page) => page.locator('svg.world circle').evaluateAll((all) => all.map((point) => [Number(point.getAttribute('cx')).toFixed(2), Number(point.getAttribute('cy')).toFixed(2), point.textContent, point.dataset.point]));

run(async (browser) => {
  const visitor = await Visitor.of(browser);
  const { page } = visitor;
  const all = [endpoint('us', 11, 'East US'), endpoint('europe', 12, 'West Europe')];
  await tm('profile', 'create', 'seen', 'routing_method=performance', `endpoint=${JSON.stringify(all)}`);
  await visitor.signIn();
  await page.goto('/profiles/seen/traffic');
  await page.getByText('nothing is known of who asks').waitFor();
  await asked(GERMAN, '10.53.0.12', 1);
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByText('Nobody has asked yet.').waitFor();
  await page.getByRole('img', { name: 'A map of the world without any clients on it' }).waitFor();
  await visitor.axe('without clients');
  await visitor.picture('traffic-nobody');

  await asked(GERMAN, '10.53.0.12', 3);
  await asked(CALIFORNIAN, '10.53.0.11', 5);
  await asked(PRIVATE, '10.53.0.11', 1);
  await becomes(page, () => rows(page), [[CALIFORNIAN, 'US-CA', 'us', '5'], [GERMAN, 'DE', 'europe', '3'], ['10.53.0.0/24', 'WORLD', 'us', '1']]);
  const [california, berlin] = await points(page);
  assert.deepEqual([...california.slice(0, 2), california[3]], ['57.58', '46.23', '0']);
  assert.match(california[2], /^203\.0\.113\.0\/24: 5 queries, mostly us, \d+ ms$/);
  assert.deepEqual([...berlin.slice(0, 2), berlin[3]], ['193.37', '31.50', '1']);
  assert.match(berlin[2], /^198\.51\.100\.0\/24: 3 queries, mostly europe, \d+ ms$/);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await visitor.axe(colorScheme);
    await visitor.picture(`traffic-${colorScheme}`);
  }
  await page.setViewportSize({ width: 380, height: 800 });
  await becomes(page, () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await visitor.picture('traffic-narrow');

  await page.getByRole('button', { name: 'Turn off' }).click();
  await page.getByText('nothing is known of who asks').waitFor();
  await page.setViewportSize({ width: 1280, height: 900 });
  await measurements(visitor);
  visitor.check();
});

// The snippet is made for these endpoints, and the script that it names is there; what a browser tells with the key counts for its network, and without it nothing does.
async function measurements(visitor) {
  const { page } = visitor;
  await visitor.tab('Real user measurements');
  await page.getByText('None yet.').waitFor();
  await page.getByRole('button', { name: 'Make a key' }).click();
  const snippet = await page.locator('pre.snippet').textContent();
  const key = /data-key="([0-9a-f]{32})"/.exec(snippet)?.[1];
  assert.equal(snippet, `<script async src="${BASE}/tm-rum.js" data-intake="${BASE}/rum"\n        data-key="${key}"\n        data-regions='{"East US":"https://10.53.0.11/","West Europe":"https://10.53.0.12/"}'></script>`);
  const script = await page.evaluate(() => fetch('/tm-rum.js').then(async (answer) => [answer.headers.get('cross-origin-resource-policy'), await answer.text()]));
  assert.deepEqual(script, ['cross-origin', fs.readFileSync(path.join(__dirname, '../../../tm-userspace/contrib/rum/tm-rum.js'), 'utf8')]);
  const tell = (with_key) => page.evaluate((body) => fetch('/rum', { method: 'POST', body }).then((answer) => answer.status), JSON.stringify({ key: with_key, samples: [{ region: 'West Europe', ms: 12.5 }] }));
  visitor.forgive(/403.* https:\/\/127\.0\.0\.1:8443\/rum$/);
  assert.equal(await tell('0'.repeat(32)), 403);
  for (let visit = 0; visit < 3; visit += 1) assert.equal(await tell(key), 204);
  await becomes(page, () => page.evaluate(() => fetch('/api/v1/round-trips').then((answer) => answer.json())), [{ prefix: '127.0.0.0/24', region: 'West Europe', ms: 12.5, samples: 3 }]);
  await page.reload();
  await page.getByRole('row', { name: '127.0.0.0/24 West Europe 12.5 ms 3' }).waitFor();
  assert.equal(await page.locator('pre.snippet').textContent(), snippet);
  await visitor.axe('measurements');
  await visitor.picture('measurements');
  await page.getByRole('button', { name: 'Delete the key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Make a key' }).waitFor();
  assert.equal(await tell(key), 403);
}
