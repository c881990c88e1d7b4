// What the scripts that drive the portal share: a browser that is watched, whoever runs the script to ask, and pictures of pages.

'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { chromium } = require('playwright-core');

const BASE = 'https://127.0.0.1:8443';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
// How long anything may take that a page is waited for.
const PATIENCE = 60_000;
const PICTURES = process.env.TM_PICTURES;
const AXE = path.join(path.dirname(require.resolve('axe-core')), 'axe.min.js');

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// Asks whoever runs this, and gives what there is behind `ok`.
async function ask(line) {
  console.log(line);
  const { value } = await lines.next();
  assert.match(value ?? 'nothing', /^ok\b/, `${line}: ${value}`);
  return value.slice(3);
}

const dns = (name, ...expected) => ask(`dns ${name}.tm.example A = ${expected.join(', ')}`);
const stop = (endpoint) => ask(`stop ${endpoint}`);
const start = (endpoint) => ask(`start ${endpoint}`);
// What `tm` prints.
const tm = async (...words) => JSON.parse(await ask(`tm ${JSON.stringify(words)}`));

// Somebody in front of a browser: a context of its own, whose every request, complaint and error is watched.
class Visitor {
  static async of(browser, options = {}) {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true, baseURL: BASE, locale: 'en-GB', timezoneId: 'Europe/Amsterdam', viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    await context.addInitScript(() => addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`)));
    return new Visitor(context, await context.newPage());
  }

  constructor(context, page) {
    Object.assign(this, { context, page, faults: [], forgiven: [/401.* https:\/\/127\.0\.0\.1:8443\/api\/v1\/session$/] });
    const fault = (what) => {
      if (!this.forgiven.some((pattern) => pattern.test(what))) this.faults.push(what);
    };
    context.on('request', (request) => {
      if (!/^(https:\/\/127\.0\.0\.1:8443\/|data:|blob:)/.test(request.url())) fault(`a request to ${request.url()}`);
    });
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) fault(`${message.type()}: ${message.text()} ${message.location().url}`);
    });
    context.on('weberror', (error) => fault(`thrown: ${error.error().stack ?? error.error()}`));
  }

  // What the browser says of a request that is meant to fail is no fault.
  forgive(pattern) {
    this.forgiven.push(pattern);
  }

  check() {
    assert.deepEqual(this.faults, []);
  }

  // At the page's own sign-in, by name and password.
  async signIn(user = 'eve', password = 'correct horse') {
    await this.page.goto('/');
    await this.page.getByLabel('User', { exact: true }).fill(user);
    await this.page.getByLabel('Password', { exact: true }).fill(password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.getByRole('heading', { name: 'Profiles', level: 1 }).waitFor();
  }

  // By a link that is good once. Whoever leaves the page before it has followed its link is not signed in.
  async followLink() {
    await this.page.goto((await tm('sign-in')).trim());
    await this.page.getByRole('button', { name: /^Signed in as/ }).waitFor();
    await this.page.getByRole('heading', { name: 'Profiles', level: 1 }).waitFor();
  }

  // One of a profile's pages, by the menu at its side.
  async tab(name) {
    await this.page.getByRole('navigation', { name: 'Profile' }).getByRole('link', { name, exact: true }).click();
    await this.page.getByRole('region', { name, exact: true }).waitFor();
  }

  async picture(name) {
    if (!PICTURES) return;
    fs.mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: path.join(PICTURES, `${name}.png`), animations: 'disabled' });
  }

  // What axe has against the page as it is.
  async axe(what) {
    if (!(await this.page.evaluate(() => 'axe' in window))) await this.page.evaluate(fs.readFileSync(AXE, 'utf8'));
    const { violations } = await this.page.evaluate(() => window.axe.run(document));
    const said = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 5).map((node) => `${node.html} (${node.any.concat(node.all, node.none).map((check) => check.message).join('; ')})`).join(' | ')}`);
    assert.deepEqual(said, [], what);
  }
}

// Reads again with each frame that the page draws, until it reads what is expected.
async function becomes(page, read, expected) {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const is = await read();
    try {
      return assert.deepEqual(is, expected);
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(drawn)));
  }
}

// Runs a script: with a browser, to its end, and with a picture of every page where it failed.
async function run(script) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'tm-browser-'));
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: FLAGS, env: { ...process.env, HOME: home } });
  try {
    await script(browser);
    console.log('done');
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
    for (const page of browser.contexts().flatMap((context) => context.pages())) {
      console.error(`at ${page.url()}:\n${await page.locator('body').ariaSnapshot().catch(() => '')}`);
      if (PICTURES) await page.screenshot({ path: path.join(PICTURES, `failed-${path.basename(process.argv[1], '.cjs')}.png`) }).catch(() => {});
    }
  } finally {
    await browser.close();
    fs.rmSync(home, { recursive: true, force: true });
    process.stdin.destroy();
  }
}

module.exports = { BASE, PATIENCE, Visitor, ask, assert, becomes, dns, run, start, stop, tm };
