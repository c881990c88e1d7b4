// "How to Direct Incoming Traffic to Hosted Services Based on Network Performance by Using Windows Azure Traffic Manager" (2012), step by step.

'use strict';

const { Visitor, ask, run, start, stop } = require('./kit.cjs');
const { christen, create, finish, pick, picked, probeOften } = require('./words.cjs');

// Networks that the database of places puts into Germany and the United States.
const EUROPEAN = '198.51.100.0/24';
const AMERICAN = '203.0.113.128/25';
const ALL = ['contoso-us', 'contoso-europe', 'contoso-asia', 'pip-virginia', 'pip-amsterdam'];

// The Test tab: who answers clients of this network.
async function answers(visitor, network, endpoint) {
  const { page } = visitor;
  await page.getByLabel('Client address or network').fill(network);
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.locator('pre.dig').getByText(`contoso.tm.example. 30 IN A ${endpoint}`).waitFor();
}

run(async (browser) => {
  const visitor = await Visitor.of(browser);
  const { page } = visitor;
  // 1. The services are deployed. 2. Log into the portal.
  await visitor.signIn();
  // 3. Choose "Create". 4. Choose a subscription. 5. Pick the performance method.
  const dialog = await create(visitor, 'contoso', 'Performance');
  // 6. Find the services and add them; the order does not matter.
  await pick(page, dialog, 'contoso', ['contoso-us', 'contoso-europe', 'contoso-asia'], ['contoso-us', 'contoso-europe']);
  await pick(page, dialog, '', ALL.slice(2), ['contoso-asia']);
  await picked(page, dialog, ['contoso-europe', 'contoso-us', 'contoso-asia']);
  await dialog.getByText('The order does not matter for this method.').waitFor();
  // 7. A path and file name to watch.
  await dialog.getByLabel('Path and file name').fill('/status/ok.htm');
  // 8. Name the domain; leave the TTL at its default.
  await christen(visitor, dialog, 'contoso');
  await visitor.picture('seed-performance-2012-dialog');
  await finish(visitor, dialog, 'contoso');
  await probeOften(visitor);
  // 9. Test it: by where clients are.
  await visitor.tab('Endpoints');
  await page.getByRole('listitem').filter({ hasText: 'contoso-us' }).getByText('Online').waitFor();
  await page.getByRole('listitem').filter({ hasText: 'contoso-europe' }).getByText('Online').waitFor();
  await page.getByRole('listitem').filter({ hasText: 'contoso-asia' }).getByText('Online').waitFor();
  await visitor.tab('Test');
  await answers(visitor, EUROPEAN, '10.53.0.12');
  await answers(visitor, AMERICAN, '10.53.0.11');
  await visitor.picture('seed-performance-2012-test');

  // Europe's goes: Europeans are sent on, by the page and by packets; Americans see nothing of it.
  await stop('europe');
  await visitor.tab('Endpoints');
  await page.getByRole('listitem').filter({ hasText: 'contoso-europe' }).getByText('Degraded').waitFor();
  await visitor.tab('Test');
  await answers(visitor, EUROPEAN, '10.53.0.11');
  await answers(visitor, AMERICAN, '10.53.0.11');
  await ask(`dig ${EUROPEAN} contoso = 10.53.0.11`);
  await ask(`dig ${AMERICAN} contoso = 10.53.0.11`);
  await start('europe');
  await visitor.tab('Endpoints');
  await page.getByRole('listitem').filter({ hasText: 'contoso-europe' }).getByText('Online').waitFor();
  await visitor.tab('Test');
  await answers(visitor, EUROPEAN, '10.53.0.12');
  await ask(`dig ${EUROPEAN} contoso = 10.53.0.12`);
  visitor.check();
});
