// One of the public, who opens the company's name in a browser, behind a resolver that keeps what it is told; as the document of 2018 has it in its last steps: "it doesn't matter
// how many times you refresh", and a fresh InPrivate window for what comes after. (A window that stays open keeps addresses for a minute, whatever DNS says: that is the browser's.)

'use strict';

const { PATIENCE, assert, run, start, stop } = require('./kit.cjs');

const WWW = 'http://www.contoso.com/';

// What a fresh window shows; `error` where nothing answers at the address that the resolver still has.
async function fresh(browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const shown = await page.goto(WWW).then(() => page.getByRole('heading').textContent(), (error) => {
    assert.match(error.message, /ERR_CONNECTION_REFUSED/);
    return 'nothing';
  });
  await context.close();
  return shown;
}

// Opens windows until the new site is seen, and then a few more: the old one is not seen again.
async function moves(browser, before, after) {
  const until = Date.now() + PATIENCE;
  for (let shown = before; shown !== after;) {
    shown = await fresh(browser);
    assert.ok([before, after].includes(shown), shown);
    assert.ok(Date.now() < until, `${before} is shown all the time`);
  }
  for (let again = 0; again < 5; again++) {
    assert.equal(await fresh(browser), after);
  }
}

run(async (browser) => {
  const page = await browser.newPage();
  await page.goto(WWW);
  for (let refresh = 0; refresh < 20; refresh++) {
    await page.reload();
    assert.equal(await page.getByRole('heading').textContent(), 'This is us');
  }
  await stop('us');
  await moves(browser, 'nothing', 'This is europe');
  await start('us');
  await moves(browser, 'This is europe', 'This is us');
});
