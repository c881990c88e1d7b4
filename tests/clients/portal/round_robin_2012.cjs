// "How to Load Balance Traffic Equally Across a Set of Hosted Services by Using Windows Azure Traffic Manager" (2012), step by step.

'use strict';

const { Visitor, ask, run, start, stop } = require('./kit.cjs');
const { christen, create, finish, overview, pick, picked, probeOften } = require('./words.cjs');

run(async (browser) => {
  const visitor = await Visitor.of(browser);
  const { page } = visitor;
  // 1. The services are deployed. 2. Log into the portal.
  await visitor.signIn();
  // 3. Choose "Create". 4. Choose a subscription. 5. Select the round robin method.
  const dialog = await create(visitor, 'contoso', 'Weighted (Round Robin)');
  // 6. Find the services and add them; the order does not matter.
  const all = ['contoso-us', 'contoso-europe', 'contoso-asia'];
  await pick(page, dialog, 'contoso-', all, all);
  await picked(page, dialog, ['contoso-asia', 'contoso-europe', 'contoso-us']);
  await dialog.getByText('The order does not matter for this method.').waitFor();
  // 7. A path and file name to watch.
  await dialog.getByLabel('Path and file name').fill('/status/ok.htm');
  // 8. Name the domain; leave the TTL at its default.
  await christen(visitor, dialog, 'contoso');
  await visitor.picture('seed-round-robin-2012-dialog');
  await finish(visitor, dialog, 'contoso');
  await probeOften(visitor);
  await visitor.tab('Overview');
  for (const service of all) {
    await overview(visitor, service, 'Online', '33 %');
  }
  // 9. Test it: each in its turn.
  await ask('turns 30 contoso = 10.53.0.11 10, 10.53.0.12 10, 10.53.0.13 10');
  await visitor.picture('seed-round-robin-2012-online');

  await stop('asia');
  await overview(visitor, 'contoso-asia', 'Degraded', '0 %');
  await overview(visitor, 'contoso-us', 'Online', '50 %');
  await overview(visitor, 'contoso-europe', 'Online', '50 %');
  await ask('turns 30 contoso = 10.53.0.11 15, 10.53.0.12 15');
  await start('asia');
  await overview(visitor, 'contoso-asia', 'Online', '33 %');
  await ask('turns 30 contoso = 10.53.0.11 10, 10.53.0.12 10, 10.53.0.13 10');
  visitor.check();
});
