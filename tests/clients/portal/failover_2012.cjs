// "How to Create a Failover Policy by Using Windows Azure Traffic Manager" (2012), step by step.

'use strict';

const { Visitor, assert, becomes, dns, run, start, stop } = require('./kit.cjs');
const { christen, create, finish, moveUp, overview, pick, picked, probeOften } = require('./words.cjs');

const ALL = ['contoso-us', 'contoso-europe', 'contoso-asia', 'pip-virginia', 'pip-amsterdam'];

run(async (browser) => {
  const visitor = await Visitor.of(browser);
  const { page } = visitor;
  // 1. The services are deployed. 2. Log into the portal.
  await visitor.signIn();
  // 3. Choose "Create". 4. Choose a subscription. 5. Select the failover load balancing method.
  const dialog = await create(visitor, 'contoso', 'Priority (Failover)');
  // 6. Find the services by the filter box, and add them by the arrow; clear the box to see all. Order them by up and down arrows.
  await pick(page, dialog, 'europe', ['contoso-europe', 'pip-amsterdam'], ['contoso-europe']);
  await pick(page, dialog, '', ALL.filter((name) => name !== 'contoso-europe'), ['contoso-us', 'contoso-asia']);
  await picked(page, dialog, ['contoso-europe', 'contoso-asia', 'contoso-us']);
  await moveUp(dialog, 'contoso-us');
  await moveUp(dialog, 'contoso-us');
  await moveUp(dialog, 'contoso-europe');
  await picked(page, dialog, ['contoso-europe', 'contoso-us', 'contoso-asia']);
  await moveUp(dialog, 'contoso-us');
  await picked(page, dialog, ['contoso-us', 'contoso-europe', 'contoso-asia']);
  // 7. Failover without monitoring is useless, and it says so; a path and file name.
  await dialog.getByLabel('Protocol').selectOption({ label: 'No monitoring' });
  await dialog.getByText('Failover without monitoring is useless.').waitFor();
  await dialog.getByLabel('Protocol').selectOption({ label: 'HTTP' });
  await dialog.getByText('Failover without monitoring is useless.').waitFor({ state: 'detached' });
  await dialog.getByLabel('Path and file name').fill('/status/ok.htm');
  // 8. Name the domain; leave the TTL at its default.
  await christen(visitor, dialog, 'contoso');
  await visitor.picture('seed-failover-2012-dialog');
  await finish(visitor, dialog, 'contoso');
  await dns('contoso', '30 A 10.53.0.11');
  await probeOften(visitor);
  // 9. Test it.
  await visitor.tab('Test');
  await page.getByText('contoso.tm.example. 30 IN A 10.53.0.11').first().waitFor();
  await visitor.tab('Overview');
  await overview(visitor, 'contoso-us', 'Online', '100 %');
  await overview(visitor, 'contoso-europe', 'Online', '0 %');
  // 10. Point your DNS server to it.
  assert.equal(await page.getByRole('button', { name: 'Copy CNAME line' }).count(), 1);
  await visitor.picture('seed-failover-2012-online');

  // The primary goes: the page shows it by itself, and the answer has moved by then.
  await stop('us');
  await overview(visitor, 'contoso-us', 'Degraded', '0 %');
  await overview(visitor, 'contoso-europe', 'Online', '100 %');
  await dns('contoso', '30 A 10.53.0.12');
  await visitor.picture('seed-failover-2012-degraded');
  await stop('europe');
  await overview(visitor, 'contoso-asia', 'Online', '100 %');
  await dns('contoso', '30 A 10.53.0.13');
  await start('us');
  await overview(visitor, 'contoso-us', 'Online', '100 %');
  await dns('contoso', '30 A 10.53.0.11');
  // How long it took, in three parts, for each of the three.
  await visitor.tab('Activity');
  await becomes(page, async () => (await page.getByRole('img', { name: /^detect .+, publish .+, drain 30 s$/ }).count()) >= 3, true);
  await visitor.picture('seed-failover-2012-activity');
  visitor.check();
});
