// "Provision Traffic Manager" (2018), step by step: between West Europe and East US, with public addresses as endpoints; then the virtual machine in Virginia is stopped.

'use strict';

const { Visitor, ask, becomes, dns, run, start, stop } = require('./kit.cjs');
const { finish, overview, probeOften, save } = require('./words.cjs');

// The dialog behind "Add": what is left alone is as the portal has it.
async function add({ page }, name, resource, priority) {
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Add endpoint' });
  // "Notice in Type there are 3 options. [...] You will select Azure endpoint".
  await becomes(page, () => dialog.getByLabel('Type', { exact: true }).getByRole('option').allTextContents(), ['Azure endpoint', 'External endpoint', 'Nested endpoint']);
  await dialog.getByLabel('Type', { exact: true }).selectOption({ label: 'Azure endpoint' });
  await dialog.getByLabel('Target resource type').selectOption({ label: 'Public IP address' });
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  const target = dialog.getByLabel('Target resource', { exact: true });
  const value = await target.getByRole('option').filter({ hasText: resource }).getAttribute('value');
  await target.selectOption([value]);
  await dialog.getByLabel('Priority').fill(priority);
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('list', { name: 'Endpoints' }).getByRole('listitem').filter({ hasText: name }).waitFor();
  await dialog.waitFor({ state: 'detached' });
}

run(async (browser) => {
  const visitor = await Visitor.of(browser);
  const { page } = visitor;
  await visitor.signIn();
  // 1. "Click Traffic Manager profiles then click Add." 2. Name, in lower case; priority; subscription; resource group; create.
  await page.getByRole('button', { name: 'Create' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create Traffic Manager profile' });
  await dialog.getByLabel('Name', { exact: true }).fill('contoso');
  await dialog.getByLabel('Routing method').selectOption({ label: 'Priority (Failover)' });
  await dialog.getByLabel('Resource group').fill('Virginia');
  await dialog.getByText('contoso.tm.example is available.').waitFor();
  await finish(visitor, dialog, 'contoso');
  // 3. Configuration: a TTL of 100 seconds, the rest as it is; save.
  await visitor.tab('Configuration');
  await page.getByLabel(/^DNS time to live/).fill('100');
  await save(visitor);
  // 4. to 7. Two endpoints, of type Azure, each a public IP address.
  await visitor.tab('Endpoints');
  await page.getByText('No endpoints yet').waitFor();
  await visitor.picture('seed-two-regions-2018-empty');
  await add(visitor, 'virginia', 'pip-virginia', '1');
  await add(visitor, 'amsterdam', 'pip-amsterdam', '2');
  await visitor.picture('seed-two-regions-2018-endpoints');
  // What the document has time to wait for, a test has not.
  await probeOften(visitor);
  // 8. Note the DNS name at the top of the Overview.
  await visitor.tab('Overview');
  await page.getByText('contoso.tm.example', { exact: true }).first().waitFor();
  await overview(visitor, 'virginia', 'Online', '100 %');
  // 9. and 10. However often one asks, it is Virginia.
  await ask('turns 20 contoso = 10.53.0.21 20');
  await dns('contoso', '100 A 10.53.0.21');

  // 11. and 12. Stop Virginia; Traffic Manager notices, and gives Amsterdam's address.
  await stop('virginia');
  await overview(visitor, 'virginia', 'Degraded', '0 %');
  await overview(visitor, 'amsterdam', 'Online', '100 %');
  await dns('contoso', '100 A 10.53.0.22');
  await visitor.picture('seed-two-regions-2018-degraded');
  // What people get wrong: finding it, publishing it, and what resolvers keep are three delays.
  await visitor.tab('Activity');
  await page.getByRole('img', { name: /^detect .+, publish .+, drain 100 s$/ }).waitFor();
  await visitor.picture('seed-two-regions-2018-activity');
  // Failback.
  await start('virginia');
  await visitor.tab('Overview');
  await overview(visitor, 'virginia', 'Online', '100 %');
  await dns('contoso', '100 A 10.53.0.21');
  visitor.check();
});
