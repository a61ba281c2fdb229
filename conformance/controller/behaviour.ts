import { compileBundle } from '../../engine/bundle/compile.ts';
import type { JsonObject } from '../../engine/object/json.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { type Controller, startController } from '../../runtimes/controller/controller.ts';
import type { ActiveBundle } from '../../runtimes/host/bundle-watch.ts';
import type { KubernetesClient } from '../../runtimes/kubernetes/client.ts';
import { type Death, mortalClient } from '../crash/mortal-client.ts';
import type { CaseResult } from '../suite.ts';
import { conditionOf, isReady, type Person, type Place } from './person.ts';
import type { ControlledServer } from './servers.ts';

const NAMESPACE = 'probes';

const rule = (account: boolean): string => `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: probe }
spec:
  resource:
    group: probe.example.com
    version: v1
    kind: Probe
    spec: { text: string | default=one, more: boolean | default=false }
  objects:
  - id: config
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "\${self.metadata.name}" }
      data: { text: "\${self.spec.text}" }
  - id: more
    when: self.spec.more
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "\${self.metadata.name}-more" }
      data: { text: "\${config.data.text}" }
  - id: away
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "probe-\${self.metadata.name}", namespace: default }
      data: { text: "\${config.data.text}" }
${account ? '  - { id: account, template: { apiVersion: v1, kind: ServiceAccount, metadata: { name: "${self.metadata.name}" } } }' : ''}
`;

const config = (name: string, namespace = NAMESPACE): Place => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });
const account = (name: string): Place => ({ apiVersion: 'v1', kind: 'ServiceAccount', namespace: NAMESPACE, name });
const probe = (name: string): Place => ({ apiVersion: 'probe.example.com/v1', kind: 'Probe', namespace: NAMESPACE, name });
const textIs = (text: string) => (object: JsonObject) => (object['data'] as JsonObject | undefined)?.['text'] === text;

/** A person, and controllers that serve the rule. */
class Stage {
  readonly #server: ControlledServer;
  readonly person: Person;
  readonly #clients: KubernetesClient[] = [];
  #controller: Controller | undefined;
  #active = activeBundle(true, 1);

  constructor(server: ControlledServer, person: Person) {
    this.#server = server;
    this.person = person;
  }

  /** Starts a controller, one that dies if a death is given. `death` resolves when it has. */
  async control(death?: Death): Promise<{ readonly death: Promise<void> }> {
    const client = mortalClient(this.#server.connect(), death);
    this.#clients.push(client);
    this.#controller = await startController({
      client,
      bundle: { current: () => this.#active },
      leaderElection: false,
      name: 'probes',
      bundlePeriod: 50,
    });
    return { death: client.death };
  }

  /** The rule without its account, or with it. */
  serve(withAccount: boolean): void {
    this.#active = activeBundle(withAccount, this.#active.generation + 1);
  }

  async create(name: string, spec: JsonObject = {}): Promise<void> {
    await this.person.create({ apiVersion: 'probe.example.com/v1', kind: 'Probe', metadata: { name, namespace: NAMESPACE }, spec });
  }

  async ready(name: string, milliseconds?: number): Promise<void> {
    await this.person.whenever(probe(name), isReady, milliseconds);
  }

  async rest(): Promise<void> {
    await this.#controller?.stop();
    this.#controller = undefined;
  }

  async close(): Promise<void> {
    await this.rest();
    for (const client of this.#clients) client.close();
  }
}

function activeBundle(withAccount: boolean, generation: number): ActiveBundle {
  const bundle = compileBundle(parseYaml({ name: 'probe.yaml', text: rule(withAccount) }).documents, { name: 'probe' });
  if (bundle.program === undefined) throw new Error(bundle.diagnostics.map(({ message }) => message).join('; '));
  return { bundle, program: bundle.program, generation, since: 0 };
}

/** In their order: each goes on where the last one ended. */
const ACTS: readonly { readonly name: string; act(stage: Stage): Promise<void> }[] = [
  {
    name: 'an instance becomes ready, with objects in two namespaces',
    async act(stage) {
      await stage.create('a');
      await stage.ready('a');
      await stage.person.whenever(config('a'), textIs('one'));
      await stage.person.whenever(config('probe-a', 'default'), textIs('one'));
    },
  },
  {
    name: 'a change of the instance reaches all objects',
    async act({ person }) {
      await person.merge(probe('a'), { spec: { text: 'two', more: true } });
      for (const place of [config('a'), config('a-more'), config('probe-a', 'default')]) await person.whenever(place, textIs('two'));
    },
  },
  {
    name: 'an object that somebody deletes is made again',
    async act({ person }) {
      const before = ((await person.get(config('a')))!['metadata'] as JsonObject)['uid'];
      await person.remove(config('a'));
      await person.whenever(config('a'), (object) => textIs('two')(object) && (object['metadata'] as JsonObject)['uid'] !== before);
    },
  },
  {
    name: 'a field that somebody takes is a conflict, and is taken back when it is let go',
    async act({ person }) {
      const { apiVersion, kind, ...metadata } = config('a');
      const taken = { apiVersion, kind, metadata, data: { text: 'mine' } };
      await person.apply(taken, 'somebody');
      await person.whenever(probe('a'), (object) => {
        const ready = conditionOf(object, 'Ready');
        return ready?.['reason'] === 'FieldConflict' && String(ready['message']).includes('"somebody"');
      });
      await person.whenever(config('a'), textIs('mine'));
      await person.apply({ apiVersion, kind, metadata }, 'somebody');
      await person.whenever(config('a'), textIs('two'));
      await person.whenever(probe('a'), isReady);
    },
  },
  {
    name: 'an object that is no longer wanted is deleted',
    async act({ person }) {
      await person.merge(probe('a'), { spec: { more: false } });
      await person.gone(config('a-more'));
      await person.whenever(probe('a'), isReady);
    },
  },
  {
    name: 'an object that is taken out of the rule is deleted, and comes back with it',
    async act(stage) {
      await stage.person.whenever(account('a'), () => true);
      stage.serve(false);
      await stage.person.gone(account('a'));
      stage.serve(true);
      await stage.person.whenever(account('a'), () => true);
      await stage.ready('a');
    },
  },
  {
    name: 'an instance that is deleted leaves nothing',
    async act({ person }) {
      await person.remove(probe('a'));
      for (const place of [probe('a'), config('a'), config('probe-a', 'default'), account('a')]) await person.gone(place);
    },
  },
  ...[1, 2, 4].map((afterWrite) => ({
    name: `the controller dies during its write ${afterWrite}, and another ends what it began`,
    async act(stage: Stage): Promise<void> {
      await stage.rest();
      const name = `mortal-${afterWrite}`;
      await stage.create(name, { more: true });
      await (await stage.control({ afterWrite, answered: false })).death;
      await stage.rest();
      await stage.control();
      await stage.ready(name);
      for (const place of [config(name), config(`${name}-more`), config(`probe-${name}`, 'default')])
        await stage.person.whenever(place, textIs('one'));
    },
  })),
  {
    name: 'what was begun by the dead is deleted with their instances',
    async act({ person }) {
      for (const name of ['mortal-1', 'mortal-2', 'mortal-4']) {
        await person.remove(probe(name));
        for (const place of [probe(name), config(name), config(`probe-${name}`, 'default'), account(name)]) await person.gone(place);
      }
    },
  },
];

/** What a controller is for, on one server. The first act that fails ends the play. */
export async function behaviour(server: ControlledServer, person: Person): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  await person.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const stage = new Stage(server, person);
  try {
    await stage.control();
    let failure: string | undefined;
    for (const { name, act } of ACTS) {
      if (failure !== undefined) {
        results.push({ name: `${server.name}, ${name}`, outcome: 'failed', reason: 'an act before this one failed' });
        continue;
      }
      failure = await act(stage).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      results.push({
        name: `${server.name}, ${name}`,
        outcome: failure === undefined ? 'passed' : 'failed',
        ...(failure === undefined ? {} : { reason: failure }),
      });
    }
  } finally {
    await stage.close();
  }
  return results;
}

/** The example of the library whose objects others keep busy: a Deployment that is scaled, and whose image somebody changes. */
export async function workload(server: ControlledServer, person: Person): Promise<readonly CaseResult[]> {
  const place: Place = { apiVersion: 'apps.example.com/v1alpha1', kind: 'MyApp', namespace: 'shop', name: 'web' };
  const deployment: Place = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
  const image = (object: JsonObject): unknown => JSON.stringify(object).match(/"image":"([^"]*)"/)?.[1];
  const acts: readonly (readonly [string, () => Promise<unknown>])[] = [
    [
      'a workload is scaled, and its status follows',
      async () => {
        await person.merge(place, { spec: { replicas: 2 } });
        await person.whenever(place, (object) => isReady(object) && (object['status'] as JsonObject)['availableReplicas'] === 2);
        await person.whenever(deployment, (object) => (object['spec'] as JsonObject)['replicas'] === 2);
      },
    ],
    [
      'an image that somebody changes is changed back',
      async () => {
        const before = image((await person.get(deployment))!);
        const resource = await person.resource('apps/v1', 'Deployment');
        const operation = { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'somebodys:1' };
        await resource.patch({ namespace: 'shop', name: 'web' }, 'json', [operation], { fieldManager: 'somebody' });
        await person.whenever(deployment, (object) => image(object) === before);
        await person.whenever(place, isReady);
      },
    ],
  ];
  const results: CaseResult[] = [];
  for (const [name, act] of acts) {
    const reason = await act().then(
      () => undefined,
      (error: unknown) => String(error),
    );
    results.push({
      name: `${server.name}, ${name}`,
      outcome: reason === undefined ? 'passed' : 'failed',
      ...(reason === undefined ? {} : { reason }),
    });
  }
  return results;
}
