// How long the list of many profiles takes: until its first row is drawn, from one frame to the next while it scrolls, until what is typed into the filter shows. The figures go to whoever runs this,
// in milliseconds.

'use strict';

const { Visitor, ask, run } = require('./kit.cjs');

const LOADS = 10;
const FRAMES = 600;
// Pixels from frame to frame: 50 rows a second, and 1,500.
const SLOW = 40;
const FAST = 1200;
const WORDS = ['profile-7', 'profile-77', 'profile-777', 'profile-7777', '', 'no such', ''];

// Notes when the first row of the list is drawn, from the moment the page was gone to.
const watch = () => {
  const seen = new MutationObserver(() => {
    if (!document.querySelector('[role=row][data-key]')) return;
    seen.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => { window.firstRow = performance.now(); }));
  });
  seen.observe(document, { childList: true, subtree: true });
};

const firstRow = (page) => page.waitForFunction(() => window.firstRow).then((handle) => handle.jsonValue());

// A window as for the first time, with nothing kept; then the same page again.
async function loads(browser, count) {
  const [first, again] = [[], []];
  for (let load = 0; load < count; load++) {
    const visitor = await Visitor.of(browser);
    await visitor.context.addInitScript(watch);
    // Signed in, and nothing of the portal's is in the cache of another window.
    await visitor.followLink();
    first.push(await firstRow(visitor.page));
    await visitor.page.reload();
    again.push(await firstRow(visitor.page));
    await visitor.context.close();
  }
  return { first, again };
}

// The times between frames, and how long each kept the page's one thread.
const scroll = (page, step) => page.evaluate(async ([frames, by]) => {
  const box = document.querySelector('[role=table]');
  box.scrollTop = 0;
  const [times, busy] = [[], []];
  let before = await new Promise(requestAnimationFrame);
  for (let frame = 0; frame < frames; frame++) {
    box.scrollTop += by;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - before);
    before = now;
    // What is drawn of this frame is drawn before the next task.
    const begin = performance.now();
    await new Promise((done) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = done; port2.postMessage(0); });
    busy.push(performance.now() - begin);
  }
  return { times, busy };
}, [FRAMES, step]);

// From a word in the filter to its rows on the screen.
async function filter(page) {
  return page.evaluate(async (words) => {
    const input = document.querySelector('input[type=search]');
    const times = [];
    for (const word of words) {
      const begin = performance.now();
      input.value = word;
      input.dispatchEvent(new Event('input', { bubbles: true }));
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      times.push(performance.now() - begin);
    }
    return times;
  }, WORDS);
}

run(async (browser) => {
  const { first, again } = await loads(browser, LOADS);
  const visitor = await Visitor.of(browser);
  await visitor.followLink();
  await visitor.page.getByRole('table', { name: 'Profiles' }).getByRole('link').first().waitFor();
  const slow = await scroll(visitor.page, SLOW);
  const fast = await scroll(visitor.page, FAST);
  await ask(`figures ${JSON.stringify({ first, again, slow: slow.times, fast: fast.times, busy: fast.busy, filter: await filter(visitor.page) })}`);
});
