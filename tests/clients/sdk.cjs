// Microsoft's SDK for JavaScript, unmodified, over TLS against a daemon: every kind of profile and endpoint comes into being, is read, changed, listed, fails
// over and goes. What DNS says is asked of whoever runs this, by lines as those of sdk.py.

'use strict';

const assert = require('node:assert/strict');
const https = require('node:https');
const readline = require('node:readline');
const { TrafficManagerManagementClient } = require('@azure/arm-trafficmanager');

const BASE = process.env.TM_BASE;
const SUBSCRIPTION = '22222222-2222-3333-4444-555555555555';
const GROUP = 'js-group';

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(line) {
  console.log(line);
  const { value } = await lines.next();
  assert.equal(value, 'ok', `${line}: ${value}`);
}

const dns = (name, kind, ...expected) => ask(`dns ${name}.tm.example ${kind} = ${expected.join(', ')}`);

// A token of the token endpoint, by client id and secret.
function token() {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: process.env.TM_CLIENT_ID,
    client_secret: process.env.TM_CLIENT_SECRET,
    scope: `${BASE}/.default`,
  });
  const options = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } };
  return new Promise((resolve, reject) => {
    const request = https.request(`${BASE}/any-tenant/oauth2/v2.0/token`, options, (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () => {
        const answer = JSON.parse(text);
        resolve({ token: answer.access_token, expiresOnTimestamp: Date.now() + answer.expires_in * 1000 });
      });
    });
    request.on('error', reject);
    request.end(form.toString());
  });
}

const client = new TrafficManagerManagementClient({ getToken: token }, SUBSCRIPTION, {
  endpoint: BASE,
  retryOptions: { maxRetries: 0 },
});
const { profiles, endpoints } = client;

const external = (name, target, more = {}) => ({
  name,
  type: 'Microsoft.Network/trafficManagerProfiles/externalEndpoints',
  target,
  ...more,
});

const profile = (method, relativeName, items, more = {}) => ({
  location: 'global',
  trafficRoutingMethod: method,
  dnsConfig: { relativeName, ttl: 30 },
  monitorConfig: {
    protocol: 'HTTP',
    port: 80,
    path: '/',
    intervalInSeconds: 2,
    timeoutInSeconds: 1,
    toleratedNumberOfFailures: 0,
  },
  endpoints: items,
  ...more,
});

const put = (name, body) => profiles.createOrUpdate(GROUP, name, body);

async function refused(status, promise) {
  const error = await promise.then(
    () => assert.fail('it was not refused'),
    (error) => error,
  );
  assert.equal(error.statusCode, status, String(error));
  return error;
}

async function all(pages) {
  const found = [];
  for await (const item of pages) found.push(item.name);
  return found.sort();
}

const statuses = async (name) => (await profiles.get(GROUP, name)).endpoints.map((item) => item.endpointMonitorStatus);

async function waitFor(name, ...expected) {
  const began = Date.now();
  for (let now = ''; String(now) !== String(expected); now = await statuses(name)) {
    assert.ok(Date.now() - began < 20000, `${name} is ${now}, not ${expected}`);
  }
}

async function failover() {
  await refused(404, profiles.get(GROUP, 'js'));
  const question = { name: 'js', type: 'Microsoft.Network/trafficManagerProfiles' };
  assert.equal((await profiles.checkTrafficManagerRelativeDnsNameAvailability(question)).nameAvailable, true);
  const items = [external('virginia', '10.53.0.11'), external('amsterdam', '10.53.0.12')];
  const made = await put('js', profile('Priority', 'js', items, { tags: { b: '2', a: '1' } }));
  assert.deepEqual(
    made.endpoints.map((item) => item.priority),
    [1, 2],
  );
  await dns('js', 'A', '30 A 10.53.0.11');
  assert.equal((await profiles.checkTrafficManagerRelativeDnsNameAvailability(question)).nameAvailable, false);
  await waitFor('js', 'Online', 'Online');
  // What is read can be put back.
  await put('js', await profiles.get(GROUP, 'JS'));
  await ask('stop virginia');
  await waitFor('js', 'Degraded', 'Online');
  await dns('js', 'A', '30 A 10.53.0.12');
  await ask('start virginia');
  await waitFor('js', 'Online', 'Online');
  await dns('js', 'A', '30 A 10.53.0.11');
  await profiles.update(GROUP, 'js', { dnsConfig: { ttl: 5 } });
  await dns('js', 'A', '5 A 10.53.0.11');
  await endpoints.update(GROUP, 'js', 'ExternalEndpoints', 'virginia', { endpointStatus: 'Disabled' });
  await dns('js', 'A', '5 A 10.53.0.12');
  await endpoints.createOrUpdate(GROUP, 'js', 'ExternalEndpoints', 'virginia', {
    target: '10.53.0.14',
    alwaysServe: 'Enabled',
  });
  await dns('js', 'A', '5 A 10.53.0.14');
  await endpoints.delete(GROUP, 'js', 'ExternalEndpoints', 'virginia');
  await endpoints.delete(GROUP, 'js', 'ExternalEndpoints', 'virginia');
  await refused(404, endpoints.get(GROUP, 'js', 'ExternalEndpoints', 'virginia'));
  await dns('js', 'A', '5 A 10.53.0.12');
  await refused(409, put('other', profile('Priority', 'js', [])));
}

async function everyKind() {
  const alwaysServe = 'Enabled';
  const cname = external('a', 'www.a.example', { weight: 3, alwaysServe });
  await put('shares', profile('Weighted', 'shares', [cname]));
  await dns('shares', 'A', '30 CNAME www.a.example.');
  const addresses = [external('a', '10.53.0.21', { alwaysServe }), external('c', 'fd53::23', { alwaysServe })];
  await put('many', profile('MultiValue', 'many', addresses, { maxReturn: 2 }));
  await dns('many', 'AAAA', '30 AAAA fd53::23');
  const child = await put('child', profile('Priority', 'child', [external('e', '10.53.0.31', { alwaysServe })]));
  const type = 'Microsoft.Network/trafficManagerProfiles/nestedEndpoints';
  const below = { name: 'below', type, targetResourceId: child.id, minChildEndpoints: 1 };
  const parent = await put('parent', profile('Priority', 'parent', [below]));
  assert.equal(parent.endpoints[0].target, 'child.tm.example');
  await dns('parent', 'A', '30 A 10.53.0.31');
  await refused(409, profiles.delete(GROUP, 'child'));
  const places = {
    Performance: { endpointLocation: 'West Europe' },
    Geographic: { geoMapping: ['WORLD'] },
    Subnet: { subnets: [{ first: '10.53.0.0', scope: 24 }] },
  };
  for (const [method, more] of Object.entries(places)) {
    const body = profile(method, method.toLowerCase(), [external('e', '10.53.0.41', { alwaysServe, ...more })]);
    await put(method, body);
    await dns(method.toLowerCase(), 'A', '30 A 10.53.0.41');
    await profiles.delete(GROUP, method);
  }
}

async function theRest() {
  const { geographicHierarchy } = await client.geographicHierarchies.getDefault();
  assert.equal(geographicHierarchy.code, 'WORLD');
  await refused(404, client.heatMap.get(GROUP, 'js'));
  await profiles.update(GROUP, 'js', { trafficViewEnrollmentStatus: 'Enabled' });
  const heat = await client.heatMap.get(GROUP, 'js');
  assert.deepEqual([heat.endpoints.length, heat.trafficFlows], [1, []]);
  const { key } = await client.trafficManagerUserMetricsKeys.createOrUpdate();
  assert.equal((await client.trafficManagerUserMetricsKeys.get()).key, key);
  await client.trafficManagerUserMetricsKeys.delete();
  await refused(404, client.trafficManagerUserMetricsKeys.get());
  assert.deepEqual(await all(profiles.listByResourceGroup(GROUP)), ['child', 'js', 'many', 'parent', 'shares']);
  assert.deepEqual(await all(profiles.listBySubscription()), ['child', 'js', 'many', 'parent', 'shares']);
  for (const name of ['parent', 'child', 'js', 'many', 'shares']) {
    await profiles.delete(GROUP, name);
    await profiles.delete(GROUP, name);
    await refused(404, profiles.get(GROUP, name));
    await dns(name, 'A');
  }
}

async function main() {
  for (const step of [failover, everyKind, theRest]) {
    console.error('step', step.name);
    await step();
  }
  console.log('done');
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
