// Names in several zones: in the second one, at its apex, of all that is below a name, in full outside the zones; chosen in the dialog, and changed later.

'use strict';

const { Visitor, ask, assert, becomes, run } = require('./kit.cjs');
const { finish, pick, save } = require('./words.cjs');

const US = '30 A 10.53.0.11';
const says = (name, expected) => ask(`dns ${name} A = ${expected}`);

// The dialog, as far as the name; `fill` writes it.
async function create(visitor, name, fill, full) {
  const { page } = visitor;
  await page.goto('/profiles');
  await page.getByRole('button', { name: 'Create' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create Traffic Manager profile' });
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  await dialog.getByText(`${name}.tm.example is available.`).waitFor();
  await pick(page, dialog, 'contoso-us', ['contoso-us'], ['contoso-us']);
  await fill(dialog);
  await dialog.getByText(`${full} is available.`).waitFor();
  await visitor.picture(`zones-${name}`);
  await finish(visitor, dialog, name);
  await page.getByText(full, { exact: true }).first().waitFor();
}

const zone = (where, label) => where.getByLabel('Zone').selectOption({ label });
const OUTSIDE = 'None of them: a name in full';

run(async (browser) => {
  const visitor = await Visitor.of(browser);
  const { page } = visitor;
  await visitor.signIn();
  // Another zone alone: the prefix is the profile's name, as it is in the first.
  await create(visitor, 'fruit', (dialog) => zone(dialog, 'shop.example'), 'fruit.shop.example');
  await says('fruit.shop.example', US);
  await create(visitor, 'apex', async (dialog) => {
    await zone(dialog, 'shop.example');
    await dialog.getByLabel(/^DNS prefix/).fill('@');
  }, 'shop.example');
  await says('shop.example', US);
  await create(visitor, 'any', async (dialog) => {
    await dialog.getByLabel(/^DNS prefix/).fill('*.any');
    await dialog.getByText('It stands for every name below that no other profile has.').waitFor();
  }, '*.any.tm.example');
  await says('this.any.tm.example', US);
  await create(visitor, 'outside', async (dialog) => {
    await zone(dialog, OUTSIDE);
    await dialog.getByLabel('DNS name', { exact: true }).fill('www.contoso.com');
  }, 'www.contoso.com');
  await says('www.contoso.com', US);

  // What is taken in a zone is told for that zone.
  await page.goto('/profiles');
  await page.getByRole('button', { name: 'Create' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create Traffic Manager profile' });
  await dialog.getByLabel('Name', { exact: true }).fill('fruit');
  await dialog.getByText('fruit.tm.example is available.').waitFor();
  await zone(dialog, 'shop.example');
  await dialog.getByText('fruit.shop.example belongs to the profile fruit.').waitFor();
  assert.ok(await dialog.getByRole('button', { name: 'Create' }).isDisabled());
  await visitor.axe('a name that is taken');

  // Later: from one zone into another, and out of them.
  await page.goto('/profiles/fruit/configuration');
  await becomes(page, () => page.getByLabel(/^DNS prefix/).inputValue(), 'fruit');
  await zone(page, 'tm.example');
  await page.getByText('fruit.tm.example is available.').waitFor();
  await save(visitor);
  await says('fruit.tm.example', US);
  await says('fruit.shop.example', '');
  await page.goto('/profiles/outside/configuration');
  await becomes(page, () => page.getByLabel('DNS name', { exact: true }).inputValue(), 'www.contoso.com');
  await page.getByLabel('DNS name', { exact: true }).fill('web.contoso.com');
  await page.getByText('web.contoso.com is available.').waitFor();
  await save(visitor);
  await says('web.contoso.com', US);
  visitor.check();
});
