// "Configure Failover Load Balancing" (2015), step by step. The profile exists, with another method, and has its endpoints.

'use strict';

const { Visitor, ask, assert, becomes, dns, run, start, stop } = require('./kit.cjs');
const { create, finish, overview, pick, probeOften, save } = require('./words.cjs');

run(async (browser) => {
  const visitor = await Visitor.of(browser);
  const { page } = visitor;
  await visitor.signIn();
  const dialog = await create(visitor, 'contoso', 'Weighted (Round Robin)');
  await pick(page, dialog, 'contoso-', ['contoso-us', 'contoso-europe', 'contoso-asia'], ['contoso-us', 'contoso-europe']);
  await finish(visitor, dialog, 'contoso');
  await probeOften(visitor);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Profiles' }).click();

  // 1. Open the Traffic Manager pane. 2. Locate the profile, and open its settings.
  await page.getByRole('searchbox', { name: 'Filter' }).fill('conto');
  await page.getByRole('table', { name: 'Profiles' }).getByRole('link', { name: 'contoso', exact: true }).click();
  // 3. Under Endpoints, verify that both are there.
  await visitor.tab('Endpoints');
  await page.getByRole('listitem').filter({ hasText: 'contoso-us' }).getByText('Online').waitFor();
  await page.getByRole('listitem').filter({ hasText: 'contoso-europe' }).getByText('Online').waitFor();
  assert.equal(await page.getByRole('list', { name: 'Endpoints' }).getByRole('listitem').count(), 2);
  // 4. Open the configuration page. 5. The method is not failover: choose it from the list.
  await visitor.tab('Configuration');
  await page.getByLabel('Routing method').selectOption({ label: 'Priority (Failover)' });
  // 6. Adjust the failover priority list by up and down arrows.
  const list = page.getByRole('list', { name: 'Failover priority list' });
  const order = async () => (await list.getByRole('listitem').allTextContents()).map((text) => text.match(/contoso-(us|europe)/)[0]);
  const [first, second] = await order();
  assert.deepEqual([first, second].sort(), ['contoso-europe', 'contoso-us']);
  await list.getByRole('button', { name: `Move ${second} up` }).click();
  await becomes(page, order, [second, first]);
  if (second !== 'contoso-us') {
    await list.getByRole('button', { name: 'Move contoso-us up' }).click();
    await becomes(page, order, ['contoso-us', 'contoso-europe']);
  }
  // 7. "A forward slash is a valid entry for the relative path."
  await page.getByLabel('Path', { exact: true }).fill('/');
  await visitor.picture('seed-failover-2015-configuration');
  // Who leaves without saving is asked.
  await page.getByRole('navigation', { name: 'Profile' }).getByRole('link', { name: 'Overview' }).click();
  const leaving = page.getByRole('dialog', { name: 'Leave without saving?' });
  await leaving.getByRole('button', { name: 'Cancel' }).click();
  // 8. Save.
  await save(visitor);
  // 9. Test.
  await dns('contoso', '30 A 10.53.0.11');
  await visitor.tab('Overview');
  await overview(visitor, 'contoso-us', 'Online', '100 %');
  // 10. Point your domain to it: the line to take along.
  await page.getByText('IN CNAME contoso.tm.example').waitFor();

  await stop('us');
  await overview(visitor, 'contoso-us', 'Degraded', '0 %');
  await overview(visitor, 'contoso-europe', 'Online', '100 %');
  await dns('contoso', '30 A 10.53.0.12');
  await visitor.picture('seed-failover-2015-degraded');
  await start('us');
  await overview(visitor, 'contoso-us', 'Online', '100 %');
  await dns('contoso', '30 A 10.53.0.11');
  await ask('turns 5 contoso = 10.53.0.11 5');
  visitor.check();
});
