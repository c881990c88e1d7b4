// Ten thousand profiles: few rows exist at once, and each can be got at, by scrolling, by the filter, by the keyboard, and by whoever is read the page.

'use strict';

const { Visitor, assert, becomes, run, tm } = require('./kit.cjs');

// Those of the file, and `taken`.
const COUNT = 10_001;
// More than fill the window, with those kept ready above and below.
const ROWS_AT_MOST = 60;

const name = (number) => `profile-${String(number).padStart(5, '0')}`;
const NAMES = [...Array.from({ length: COUNT - 1 }, (_, index) => name(index)), 'taken'];

// Scrolls from the top to the end, a bit less than a window at a time: every row that there was on the way, by its index, and the most at once.
const scrolled = (table) => table.evaluate(async (box) => {
  const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
  const [found, inSight, until] = [{}, [], Date.now() + 120_000];
  let most = 0;
  for (let top = 0; ; top += box.clientHeight - 100) {
    box.scrollTop = top;
    // The row in the middle of the window is there.
    const { left, top: above, width, height } = box.getBoundingClientRect();
    for (;;) {
      await frame();
      if (document.elementFromPoint(left + width / 3, above + height / 2)?.closest('[data-key]')) break;
      if (Date.now() > until) throw new Error(`nothing is shown at ${box.scrollTop}`);
    }
    const rows = [...box.querySelectorAll('[role=row]')];
    most = Math.max(most, rows.length);
    for (const row of rows) {
      const link = row.querySelector('a');
      if (link) found[row.getAttribute('aria-rowindex')] = link.textContent;
    }
    inSight.push(document.elementFromPoint(left + width / 3, above + height / 2).closest('[data-key]').getAttribute('aria-rowindex'));
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1) return { found, most, inSight: inSight.map(Number) };
  }
});

async function byScrolling(table) {
  const { found, most, inSight } = await scrolled(table);
  assert.deepEqual(Object.values(found), NAMES);
  // The heads of the columns are the first.
  assert.deepEqual(Object.keys(found).map(Number), NAMES.map((_, index) => index + 2));
  assert.ok(most <= ROWS_AT_MOST, `${most} rows at once`);
  assert.deepEqual(inSight, [...inSight].sort((a, b) => a - b));
}

async function byFilter(page, table) {
  const filter = page.getByRole('searchbox', { name: 'Filter' });
  const rows = async () => [await table.getAttribute('aria-rowcount'), await table.getByRole('link').allTextContents()];
  await filter.fill('09999');
  await becomes(page, rows, ['2', [name(9_999)]]);
  await page.getByText('1 of 10,001 profiles').waitFor();
  await filter.fill('profile-0999');
  await becomes(page, rows, ['11', Array.from({ length: 10 }, (_, index) => name(9_990 + index))]);
  await filter.fill('nobody');
  await page.getByText('Nothing fits the filter').waitFor();
  assert.equal(await table.getAttribute('aria-rowcount'), '1');
  await filter.fill('');
  await becomes(page, () => table.getAttribute('aria-rowcount'), String(COUNT + 1));
  // From the other end.
  await table.getByRole('button', { name: 'Name', exact: true }).click();
  await becomes(page, () => table.getByRole('link').first().textContent(), 'taken');
  await table.getByRole('button', { name: 'Name', exact: true }).click();
  await becomes(page, () => table.getByRole('link').first().textContent(), name(0));
}

// What has the focus, and whether it is in sight.
const focus = (page) => page.evaluate(() => {
  const { top, bottom } = document.activeElement.getBoundingClientRect();
  const box = document.querySelector('[role=table]').getBoundingClientRect();
  return [document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent, top > box.top && bottom <= box.bottom];
});

async function byKeyboard(page, table) {
  const top = () => table.evaluate((box) => box.scrollTop);
  await table.focus();
  await page.keyboard.press('End');
  await table.getByRole('link', { name: 'taken' }).waitFor();
  await page.keyboard.press('Home');
  await becomes(page, top, 0);
  // A row that has the focus stays, wherever one scrolls, and the next key goes on from it.
  await table.getByRole('link', { name: name(3) }).focus();
  await table.evaluate((box) => { box.scrollTop = 200_000; });
  await table.getByRole('link', { name: name(4_170) }).waitFor();
  assert.deepEqual(await focus(page), [name(3), false]);
  await page.keyboard.press('Tab');
  await becomes(page, () => focus(page), [`Copy ${name(3)}.tm.example`, true]);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await becomes(page, () => focus(page), [name(4), true]);
}

// Somebody makes one more, and changes it: its row comes and moves, and nobody fetches the others again.
async function live(page, table) {
  const asked = [];
  page.on('request', (request) => request.url().includes('/summaries') && asked.push(new URL(request.url()).search));
  await tm('profile', 'create', 'profile-00001a', 'routing_method=weighted');
  await table.getByRole('link', { name: 'profile-00001a' }).waitFor();
  const row = table.getByRole('row').filter({ hasText: 'profile-00001a' });
  await becomes(page, () => row.getAttribute('aria-rowindex'), '4');
  assert.equal(await table.getAttribute('aria-rowcount'), String(COUNT + 2));
  await tm('profile', 'delete', 'profile-00001a');
  await becomes(page, () => table.getAttribute('aria-rowcount'), String(COUNT + 1));
  assert.deepEqual([...new Set(asked)], ['?profile=profile-00001a']);
}

run(async (browser) => {
  const visitor = await Visitor.of(browser);
  const { page } = visitor;
  await visitor.signIn();
  await page.getByText('10,001 profiles').waitFor();
  const table = page.getByRole('table', { name: 'Profiles' });
  assert.equal(await table.getAttribute('aria-rowcount'), String(COUNT + 1));
  await visitor.axe('ten thousand profiles');
  await visitor.picture('page-profiles-many');
  await byScrolling(table);
  await byKeyboard(page, table);
  await byFilter(page, table);
  await live(page, table);
  visitor.check();
});
