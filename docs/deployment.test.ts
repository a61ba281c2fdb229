import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { deploymentManifests } from '../runtimes/admission/manifests.ts';
import { COMMANDS } from '../runtimes/cli/commands.ts';

const manifests = deploymentManifests({
  namespace: 'fairlead',
  name: 'fairlead',
  image: 'fairlead:0.1.0',
  tlsSecret: 'fairlead-tls',
  rulesConfigMap: 'fairlead-rules',
  lookups: [{ apiGroup: '', resource: 'configmaps' }],
});

const NOTE = `# Runs the webhook in a cluster. Made by runtimes/admission/manifests.ts; docs/deployment.test.ts keeps it current (vitest -u).
# Needs a Secret fairlead-tls (tls.crt, tls.key, for fairlead.fairlead.svc) and a ConfigMap fairlead-rules with the rule files.
# Then: fairlead serve <rules> --print-webhook-config fairlead/fairlead --webhook-ca <ca.crt> | kubectl apply -f -
`;

it('docs/deployment.yaml is current', async () => {
  const text = NOTE + manifests.map((manifest) => stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
  await expect(text).toMatchFileSnapshot('deployment.yaml');
});

it('starts the command with options that it has', () => {
  const { options } = COMMANDS.find(({ name }) => name === 'serve')!;
  const deployment = JSON.stringify(manifests.at(-1));
  const used = [...deployment.matchAll(/"--([a-z-]+)"/g)].map(([, name]) => name);
  expect(used).toEqual(['cert', 'key', 'port', 'health-port']);
  expect(options.map(({ name }) => name)).toEqual(expect.arrayContaining(used));
});

it('docs/serving.md, docs/controller.md and docs/networks.md name every metric', () => {
  const root = join(import.meta.dirname, '..');
  const sources = readdirSync(join(root, 'runtimes'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  const registered = sources.flatMap((name) =>
    [...readFileSync(join(root, 'runtimes', name), 'utf8').matchAll(/name: '(fairlead_[a-z_]+)'/g)].map(([, metric]) => metric),
  );
  const documented = ['docs/serving.md', 'docs/controller.md', 'docs/networks.md'].flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/^\| `(fairlead_[a-z_]+)`/gm)].map(([, metric]) => metric),
  );
  expect(registered.length).toBeGreaterThan(10);
  expect([...documented].sort()).toEqual([...registered].sort());
});
