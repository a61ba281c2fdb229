import type { JsonObject } from '../../engine/object/json.ts';
import type { World } from './world.ts';

/** Something that happens to a cluster while its controller may die at any moment. */
export interface Scenario {
  readonly name: string;
  /** The rules at the beginning, as YAML. */
  readonly rules: string;
  /** Each step is begun when what the one before asked for has come true. */
  readonly steps: readonly Step[];
}

export interface Step {
  act(world: World): Promise<void>;
  /** Whether what was asked for has come true. */
  done(world: World): boolean;
}

const API_VERSION = 'crash.example.com/v1';
const KIND = 'App';

function rule(objects: string, more = ''): string {
  return `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: app }
spec:
  resource:
    group: crash.example.com
    version: v1
    kind: App
    spec: { size: "integer | default=1", zones: "[]string" }
    status: { seen: integer }
${objects}
${more}
`;
}

const config = (id: string, data: string, more = ''): string => `
  - id: ${id}
${more}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "\${self.metadata.name}-${id}" }
      data: ${data}
`;

const FRONT_AND_BACK = `
  objects:
${config('back', '{ size: "${string(self.spec.size)}" }')}
${config('front', '{ back: "${back.metadata.name}", size: "${back.data.size}" }')}
  status: { seen: "\${self.spec.size}" }
`;

const app = (spec: JsonObject = {}, name = 'a'): JsonObject => ({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { namespace: 'default', name },
  spec,
});

const isReady = (world: World, name = 'a'): boolean => {
  const found = world.find(API_VERSION, KIND, 'default', name);
  const status = found?.['status'] as { readonly conditions?: readonly JsonObject[]; readonly observedGeneration?: number } | undefined;
  const { generation } = (found?.['metadata'] ?? {}) as { readonly generation?: number };
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.['status'] === 'True' && status?.observedGeneration === generation;
};

const create = (spec: JsonObject = {}): Step => ({
  act: (world) => world.create(app(spec)),
  done: isReady,
});

const exists = (world: World, kind: string, name: string, namespace = 'default'): boolean =>
  world.find('v1', kind, namespace, name) !== undefined;

const remove = (...gone: readonly [kind: string, name: string, namespace?: string][]): Step => ({
  act: (world) => world.remove(API_VERSION, KIND, 'default', 'a'),
  done: (world) =>
    world.find(API_VERSION, KIND, 'default', 'a') === undefined &&
    gone.every(([kind, name, namespace]) => !exists(world, kind, name, namespace)),
});

const dataOf = (world: World, name: string): JsonObject => (world.find('v1', 'ConfigMap', 'default', name)?.['data'] ?? {}) as JsonObject;

const ZONES = `
  objects:
${config('zone', '{ zone: "${item}" }', '    forEach: self.spec.zones').replace('name}-zone"', 'name}-${item}"')}
`;

const PASSWORD = `
  generate:
  - id: password
    random: { length: 20 }
${FRONT_AND_BACK.replace('{ size: "${string(self.spec.size)}" }', '{ size: "${string(self.spec.size)}", password: "${password.value}" }')}
`;

const ELSEWHERE = `
  objects:
${config('near', '{ far: "${far.metadata.name}" }')}
  - id: far
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "\${self.metadata.name}-far", namespace: elsewhere }
      data: { size: "\${string(self.spec.size)}" }
`;

const DATABASE = `
  calls:
  - id: database
    http: { method: POST, url: "http://databases.example.com/databases", body: { name: "\${self.metadata.name}" } }
    undo: { method: DELETE, url: "http://databases.example.com/databases/\${database.body.id}" }
  objects:
${config('link', '{ database: "${database.body.id}" }')}
`;

const PATCHED = `
  objects:
  - id: shared
    patch:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: shared }
      data: { app: "\${self.metadata.name}" }
${config('own', '{ a: b }')}
`;

const ORPHANED = FRONT_AND_BACK.replace('  - id: back\n', '  - id: back\n    deletion: { policy: Orphan }\n');

export const SCENARIOS: readonly Scenario[] = [
  { name: 'create', rules: rule(FRONT_AND_BACK), steps: [create({ size: 2 })] },
  {
    name: 'update',
    rules: rule(FRONT_AND_BACK),
    steps: [
      create({ size: 2 }),
      {
        act: (world) => world.merge(API_VERSION, KIND, 'default', 'a', { spec: { size: 5 } }),
        done: (world) => isReady(world) && dataOf(world, 'a-front')['size'] === '5',
      },
    ],
  },
  {
    name: 'an object less in the rule',
    rules: rule(FRONT_AND_BACK),
    steps: [
      create(),
      {
        act: async (world) =>
          world.setRules(
            rule(`  objects:\n${config('back', '{ size: "${string(self.spec.size)}" }')}\n  status: { seen: "\${self.spec.size}" }\n`),
          ),
        done: (world) => isReady(world) && !exists(world, 'ConfigMap', 'a-front'),
      },
    ],
  },
  {
    name: 'fewer items',
    rules: rule(ZONES),
    steps: [
      create({ zones: ['x', 'y', 'z'] }),
      {
        act: (world) => world.merge(API_VERSION, KIND, 'default', 'a', { spec: { zones: ['z'] } }),
        done: (world) => isReady(world) && !exists(world, 'ConfigMap', 'a-x') && !exists(world, 'ConfigMap', 'a-y'),
      },
    ],
  },
  { name: 'delete', rules: rule(FRONT_AND_BACK), steps: [create(), remove(['ConfigMap', 'a-front'], ['ConfigMap', 'a-back'])] },
  {
    name: 'an object in another namespace',
    rules: rule(ELSEWHERE),
    steps: [create(), remove(['ConfigMap', 'a-near'], ['ConfigMap', 'a-far', 'elsewhere'])],
  },
  {
    name: 'another rule',
    rules: rule(FRONT_AND_BACK),
    steps: [
      create(),
      {
        act: async (world) =>
          world.setRules(
            rule(
              `  objects:\n${config('middle', '{ size: "${string(self.spec.size)}" }')}\n${ELSEWHERE.slice(ELSEWHERE.indexOf('  - id: far'))}\n  status: { seen: "\${self.spec.size}" }\n`,
            ),
          ),
        done: (world) =>
          isReady(world) &&
          exists(world, 'ConfigMap', 'a-middle') &&
          exists(world, 'ConfigMap', 'a-far', 'elsewhere') &&
          !exists(world, 'ConfigMap', 'a-front') &&
          !exists(world, 'ConfigMap', 'a-back'),
      },
      remove(['ConfigMap', 'a-middle'], ['ConfigMap', 'a-far', 'elsewhere']),
    ],
  },
  {
    name: 'no rule any more',
    rules: rule(ELSEWHERE),
    steps: [
      create(),
      { act: async (world) => world.setRules(''), done: () => true },
      remove(['ConfigMap', 'a-near'], ['ConfigMap', 'a-far', 'elsewhere']),
    ],
  },
  { name: 'a generated value', rules: rule(PASSWORD), steps: [create(), remove(['ConfigMap', 'a-back'], ['Secret', 'a-password'])] },
  { name: 'a call and its undo', rules: rule(DATABASE), steps: [create(), remove(['ConfigMap', 'a-link'])] },
  {
    name: 'fields on an object of others',
    rules: rule(PATCHED),
    steps: [
      {
        act: (world) =>
          world.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'shared' }, data: { theirs: 'x' } }),
        done: () => true,
      },
      create(),
      remove(['ConfigMap', 'a-own']),
    ],
  },
  { name: 'an object that outlives its instance', rules: rule(ORPHANED), steps: [create(), remove(['ConfigMap', 'a-front'])] },
];
