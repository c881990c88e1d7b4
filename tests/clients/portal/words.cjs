// What is done in several procedures alike, in the portal's words.

'use strict';

const { assert, becomes } = require('./kit.cjs');

// The dialog in which a profile comes into being.
async function create({ page }, name, method) {
  await page.getByRole('button', { name: 'Create' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create Traffic Manager profile' });
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  // "Choose a subscription."
  await dialog.getByLabel('Subscription').fill('00000000-0000-0000-0000-000000000001');
  await dialog.getByLabel('Routing method').selectOption({ label: method });
  return dialog;
}

// "You can only specify the prefix for your domain." A name that is taken is told. Then it is created, and its page is there.
async function christen({ page }, dialog, prefix) {
  await dialog.getByLabel(/^DNS prefix/).fill('taken');
  await dialog.getByText('taken.tm.example belongs to the profile taken.').waitFor();
  assert.ok(await dialog.getByRole('button', { name: 'Create' }).isDisabled());
  await dialog.getByLabel(/^DNS prefix/).fill(prefix);
  await dialog.getByText(`${prefix}.tm.example is available.`).waitFor();
}

// Ends the dialog.
async function finish({ page }, dialog, name) {
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
  assert.equal(new URL(page.url()).pathname, `/profiles/${name}`);
}

// Services that can be picked and fit the filter.
async function available(dialog) {
  const options = await dialog.getByLabel('Available services').getByRole('option').all();
  return Promise.all(options.map(async (option) => ({ value: await option.getAttribute('value'), name: (await option.textContent()).trim().split(' ')[0] })));
}

// "Use the filter box to find hosted services that contain the string you type into the box. [...] Use the arrow buttons to add them": the filter finds `found`.
async function pick(page, dialog, filter, found, services) {
  await dialog.getByLabel('Filter').fill(filter);
  await becomes(page, async () => (await available(dialog)).map(({ name }) => name).sort(), [...found].sort());
  const values = (await available(dialog)).filter(({ name }) => services.includes(name)).map(({ value }) => value);
  await dialog.getByLabel('Available services').selectOption(values);
  await dialog.getByRole('button', { name: 'Add to the list' }).click();
}

// What was picked is this, by name and in order.
async function picked(page, dialog, expected) {
  const read = async () => {
    const texts = await dialog.getByLabel('Selected DNS names').getByRole('option').allTextContents();
    return texts.map((text) => text.trim().replace(/^\d+\. /, '').split(' ')[0]);
  };
  await becomes(page, read, expected);
}

// "Use the up and down arrows change the order as needed."
async function moveUp(dialog, service) {
  const list = dialog.getByLabel('Selected DNS names');
  const value = await list.getByRole('option').filter({ hasText: service }).getAttribute('value');
  await list.selectOption([value]);
  await dialog.getByRole('button', { name: 'Move up' }).click();
}

// Probes that see in three seconds what they would see in two minutes; they bear with an endpoint that is slow where the browser has the machine to itself.
async function probeOften(visitor) {
  const { page } = visitor;
  await visitor.tab('Configuration');
  await page.getByLabel('Probing interval').fill('3s');
  await page.getByLabel('Probe timeout').fill('2900ms');
  await page.getByLabel('Tolerated number of failures').fill('0');
  await save(visitor);
}

async function save({ page }) {
  const bar = page.locator('.save-bar');
  await bar.getByRole('button', { name: 'Save' }).click();
  await page.locator('.save-bar[data-shown=false]').waitFor({ state: 'attached' });
}

// On the Overview: an endpoint's state and the share of the answers that was decided for it.
async function overview(visitor, endpoint, status, share) {
  const { page } = visitor;
  const row = page.getByRole('region', { name: 'Overview' }).getByRole('row').filter({ hasText: endpoint });
  const cells = row.getByRole('cell');
  await cells.nth(0).getByText(status, { exact: true }).waitFor();
  await cells.nth(1).getByText(share, { exact: true }).waitFor();
}

module.exports = { christen, create, finish, moveUp, overview, pick, picked, probeOften, save };
