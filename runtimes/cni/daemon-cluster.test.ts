import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compileBundle } from '../../engine/bundle/compile.ts';
import type { JsonObject } from '../../engine/object/json.ts';
import { imaginedAdd } from '../../engine/rules/network/imagined-request.ts';
import type { NetworkRequest } from '../../engine/rules/network/program.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { fixedBundle } from '../host/bundle-watch.ts';
import { until } from '../host/until.fixture.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { urlConnection } from '../kubernetes/connect.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../kubernetes/embedded/server.ts';
import { createKubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { clusterNetworkFacts } from './cluster/cluster-network-facts.ts';
import { createPodAnnotator } from './cluster/pod-annotator.ts';
import { type NetworkDaemon, startNetworkDaemon } from './daemon.ts';
import { hostWithNamespaces } from './host-with-namespaces.fixture.ts';
import { invoke } from './invoke.ts';
import { requestInvocation } from './request-invocation.ts';
import type { Answer } from './wire.ts';

/** A rule that needs no root: what the node knows of others, and of its pods, is in files. */
const RULE = (folder: string): string => `
apiVersion: fairlead.dev/v1alpha1
kind: NetworkRule
metadata: { name: net }
spec:
  objects:
  - id: nodes
    external: { apiVersion: v1, kind: Node, selector: {} }
  - id: pods
    external: { apiVersion: v1, kind: Pod, selector: {} }
  - id: pod
    external: { apiVersion: v1, kind: Pod, namespace: "\${args.K8S_POD_NAMESPACE}", name: "\${args.K8S_POD_NAME}" }
  variables:
  - name: me
    expression: nodes.filter(n, n.metadata.name == node.name)[0]
  ipam:
    ranges: [[{ subnet: "\${variables.me.spec.podCIDR}" }]]
    dataDir: ${folder}/networks
  node:
    steps:
    - forEach: nodes.filter(n, n.metadata.name != node.name && has(n.spec.podCIDR))
      file: { path: "${folder}/node/\${item.metadata.name}", content: "\${item.spec.podCIDR}" }
    - forEach: node.attachments
      file:
        path: ${folder}/pod/\${item.name}
        content: \${item.addresses[0]} \${pods.filter(p, p.metadata.name == item.name).map(p, p.metadata.?labels.?app.orValue(''))[?0].orValue('unknown')}
  steps:
  - file: { path: "${folder}/made/\${request.containerId}", content: "\${pod.metadata.name}" }
  podAnnotations: { example.com/addresses: "\${ipam.addresses.join(',')}" }
`;

describe('the daemon of a node of a cluster', () => {
  let server: EmbeddedServer;
  let client: KubernetesClient;
  let folder: string;
  let daemon: NetworkDaemon;
  let facts: ReturnType<typeof clusterNetworkFacts>;
  /** Whether annotations can be written. */
  let reachable = true;
  const unreachable = createKubernetesClient({ connection: urlConnection('http://127.0.0.1:1') });
  beforeAll(async () => {
    server = await startEmbeddedServer();
    client = createKubernetesClient({ connection: urlConnection(server.url) });
    for (const [name, podCIDR] of [
      ['n1', '10.244.1.0/24'],
      ['n2', '10.244.2.0/24'],
    ] as const)
      await write('Node', name, { spec: { podCIDR } });
  });
  afterAll(async () => {
    client.close();
    unreachable.close();
    await server.close();
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-daemon-'));
    for (const name of ['node', 'pod', 'made']) mkdirSync(join(folder, name));
    await start();
  });
  afterEach(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const api = async (kind: string) => client.resource((await client.discovery.resourceOf('v1', kind))!);
  const named = (kind: string, name: string) => (kind === 'Pod' ? { name, namespace: 'default' } : { name });
  const write = async (kind: string, name: string, fields: JsonObject): Promise<void> => {
    const metadata = { ...named(kind, name), ...((fields['metadata'] ?? {}) as JsonObject) };
    await (await api(kind)).create({ apiVersion: 'v1', kind, ...fields, metadata });
  };
  const pod = (name: string, app: string) =>
    write('Pod', name, { metadata: { labels: { app } }, spec: { containers: [{ name: 'a', image: 'b' }] } });
  const annotationsOf = async (name: string) => {
    const found = await (await api('Pod')).get(named('Pod', name));
    return (found?.['metadata'] as JsonObject | undefined)?.['annotations'];
  };
  const change = async (kind: string, name: string, patch: JsonObject) => (await api(kind)).patch(named(kind, name), 'merge', patch);
  const remove = async (kind: string, name: string) => (await api(kind)).delete(named(kind, name));

  const start = async (): Promise<void> => {
    const { documents, diagnostics } = parseYaml({ name: 'rules.yaml', text: RULE(folder) });
    const bundle = compileBundle(documents, { name: 'test', diagnostics });
    expect(bundle.diagnostics).toEqual([]);
    facts = clusterNetworkFacts({ client, nodeName: 'n1' });
    daemon = await startNetworkDaemon({
      bundle: fixedBundle(bundle),
      facts,
      podAnnotator: (debts) => createPodAnnotator({ client: reachable ? client : unreachable, debts, patience: reachable ? 2000 : 0 }),
      socketPath: join(folder, 'run/cni.sock'),
      stateFolder: join(folder, 'state'),
      nodeName: 'n1',
      bootId: 'boot',
      makeHost: hostWithNamespaces,
    });
  };
  const stop = async (): Promise<void> => {
    await daemon.close({ grace: 0 });
    facts.close();
  };
  const call = (command: NetworkRequest['command'], name = ''): Promise<Answer> => {
    const request = {
      ...imaginedAdd({ cniVersion: '1.1.0', name: 'pods', type: 'net' }),
      command,
      containerId: name,
      netns: join(folder, 'no-netns'),
      args: { K8S_POD_NAMESPACE: 'default', K8S_POD_NAME: name },
    };
    return invoke(join(folder, 'run/cni.sock'), requestInvocation('net', request), 10_000);
  };
  /** Files of a folder with what is in them; one that goes meanwhile is gone. */
  const files = (of: string) =>
    Object.fromEntries(
      readdirSync(join(folder, of)).flatMap((name): [string, string][] => {
        try {
          return [[name, readFileSync(join(folder, of, name), 'utf8')]];
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
          throw error;
        }
      }),
    );

  it('owes a pod its annotations when the cluster is away, over a restart, too', async () => {
    await pod('owed', 'shop');
    await stop();
    reachable = false;
    await start();
    expect(await call('ADD', 'owed')).toMatchObject({ exitCode: 0 });
    expect(await annotationsOf('owed')).toBeUndefined();
    await stop();
    reachable = true;
    await start();
    await daemon.recovered;
    for (let i = 0; (await annotationsOf('owed')) === undefined; i++) if (i > 1000) throw new Error('it does not come');
    expect(await call('DEL', 'owed')).toMatchObject({ exitCode: 0 });
    await remove('Pod', 'owed');
  });

  it('annotates no other pod of the name', async () => {
    await pod('other', 'shop');
    const log: string[] = [];
    const annotator = createPodAnnotator({ client, log: (_level, line) => log.push(line) });
    await annotator.annotate('a', { namespace: 'default', name: 'other', uid: 'of-one-before' }, { 'example.com/a': 'b' });
    expect([await annotationsOf('other'), log]).toEqual([undefined, ['a pod cannot be annotated']]);
    await remove('Pod', 'other');
  });

  it('takes addresses from its Node, and is ready for a pod before it answers', async () => {
    await pod('web', 'shop');
    const { exitCode, stdout } = await call('ADD', 'web');
    expect([exitCode, JSON.parse(stdout).ips]).toEqual([0, [{ address: '10.244.1.2/24', gateway: '10.244.1.1' }]]);
    expect([files('made'), files('node'), files('pod')]).toEqual([{ web: 'web' }, { n2: '10.244.2.0/24' }, { web: '10.244.1.2 shop' }]);
    expect(await annotationsOf('web')).toEqual({ 'example.com/addresses': '10.244.1.2/24' });
    expect(await call('DEL', 'web')).toMatchObject({ exitCode: 0 });
    await until(() => Object.keys(files('pod')).length === 0);
    await remove('Pod', 'web');
  });

  it('follows nodes and pods, also after it was started anew', async () => {
    await pod('db', 'shop');
    await call('ADD', 'db');
    await write('Node', 'n3', { spec: { podCIDR: '10.244.3.0/24' } });
    await until(() => files('node')['n3'] === '10.244.3.0/24');
    await change('Pod', 'db', { metadata: { labels: { app: 'bank' } } });
    await until(() => files('pod')['db'] === '10.244.1.2 bank');
    await stop();
    await remove('Node', 'n3');
    await start();
    await until(() => files('node')['n3'] === undefined);
    expect(files('pod')).toEqual({ db: '10.244.1.2 bank' });
    await call('DEL', 'db');
    await remove('Pod', 'db');
  });

  it('tells a runtime to try again where the pod is not there', async () => {
    const { exitCode, stdout } = await call('ADD', 'nobody');
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      1,
      { code: 11, msg: expect.stringContaining('the Pod default/nobody is not found') },
    ]);
    expect(files('made')).toEqual({});
  });
});
