/** Rules whose CustomResourceDefinitions use everything that a short schema may say; with objects, and what the server must say of them. */
export interface DefinitionCase {
  readonly name: string;
  readonly rule: string;
  /** Spec of an object that must be accepted. */
  readonly accepted: Readonly<Record<string, unknown>>;
  /** What its spec must be read back as. */
  readonly stored?: Readonly<Record<string, unknown>>;
  readonly refused?: readonly { readonly spec: Readonly<Record<string, unknown>>; readonly message: string }[];
  /** Change of the accepted spec that must be refused. */
  readonly change?: { readonly spec: Readonly<Record<string, unknown>>; readonly message: string };
}

const rule = (kind: string, resource: string): string => `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: ${kind.toLowerCase()} }
spec:
  resource:
    group: definitions.example.com
    version: v1alpha1
    kind: ${kind}
${resource.replace(/^/gm, '    ')}
`;

export const DEFINITION_CASES: readonly DefinitionCase[] = [
  {
    name: 'scalars with rules',
    rule: rule(
      'Scalar',
      `spec:
  replicas: "integer | default=1 minimum=0 maximum=10"
  ratio: "number | minimum=0 maximum=1"
  image: 'string | required pattern="^[a-z0-9./-]+:[a-z0-9.]+$" description="the image, with its tag"'
  tier: "string | enum=small,large default=small"
  count: "integer | enum=1,2,3"
  name: "string | minLength=2 maxLength=5"
  size: "quantity | default=1Gi"
  port: int-or-string
  at: "string | format=date-time"
  paused: "boolean | default=false"
printerColumns:
- { name: Replicas, path: .spec.replicas }
- { name: At, path: .spec.at, priority: 1 }
shortNames: [sc]
categories: [all]`,
    ),
    accepted: { image: 'nginx:1', ratio: 0.5, count: 2, name: 'abc', port: 'http', at: '2025-01-01T00:00:00Z' },
    stored: {
      image: 'nginx:1',
      ratio: 0.5,
      count: 2,
      name: 'abc',
      port: 'http',
      at: '2025-01-01T00:00:00Z',
      replicas: 1,
      tier: 'small',
      size: '1Gi',
      paused: false,
    },
    refused: [
      { spec: {}, message: 'spec.image: Required value' },
      { spec: { image: 'nginx' }, message: 'spec.image in body should match' },
      { spec: { image: 'nginx:1', replicas: 11 }, message: 'should be less than or equal to 10' },
      { spec: { image: 'nginx:1', tier: 'huge' }, message: 'Unsupported value: "huge"' },
      { spec: { image: 'nginx:1', name: 'abcdef' }, message: 'may not be more than 5' },
      { spec: { image: 'nginx:1', count: 4 }, message: 'Unsupported value: 4' },
    ],
  },
  {
    name: 'structures, lists and maps',
    rule: rule(
      'Shape',
      `types:
  Endpoint: { host: "string | required", port: "integer | default=80" }
spec:
  tls: { enabled: "boolean | default=true", secret: string }
  ports: [{ name: "string | required", port: "integer | minimum=1" }]
  hosts: "[]string | uniqueItems minItems=1 maxItems=3"
  env: "map[string]string | maxProperties=2"
  matrix: "[][]integer"
  endpoints: "[]Endpoint | listMapKey=host"
  primary: Endpoint
  anything: any
  free: "map[string]any"`,
    ),
    accepted: {
      ports: [{ name: 'a', port: 1 }],
      hosts: ['a'],
      env: { A: 'b' },
      matrix: [[1], [2]],
      endpoints: [{ host: 'x' }],
      anything: [1, 'x'],
      free: { a: { b: 1 } },
    },
    stored: {
      tls: { enabled: true },
      ports: [{ name: 'a', port: 1 }],
      hosts: ['a'],
      env: { A: 'b' },
      matrix: [[1], [2]],
      endpoints: [{ host: 'x', port: 80 }],
      anything: [1, 'x'],
      free: { a: { b: 1 } },
    },
    refused: [
      { spec: { hosts: ['a', 'a'] }, message: 'Duplicate value: "a"' },
      { spec: { hosts: [] }, message: 'should have at least 1 items' },
      { spec: { ports: [{ port: 1 }] }, message: 'spec.ports[0].name: Required value' },
      { spec: { endpoints: [{ host: 'x' }, { host: 'x' }] }, message: 'Duplicate value: {"host":"x"}' },
      { spec: { env: { a: '1', b: '2', c: '3' } }, message: 'must have at most 2 items' },
    ],
  },
  {
    name: 'rules in CEL, and what may not change',
    rule: rule(
      'Checked',
      `scope: Cluster
spec:
  class: "string | immutable maxLength=20"
  low: "integer | default=1"
  high: 'integer | default=5 validation="self < 100"'
validations:
- { rule: self.spec.low <= self.spec.high, message: low is above high, fieldPath: .spec.low }
scale: { specReplicasPath: .spec.low, statusReplicasPath: .status.replicas }
status: { replicas: integer }`,
    ),
    accepted: { class: 'a' },
    stored: { class: 'a', low: 1, high: 5 },
    refused: [
      { spec: { low: 6 }, message: 'low is above high' },
      { spec: { high: 100 }, message: 'failed rule: self < 100' },
    ],
    change: { spec: { class: 'b' }, message: 'field is immutable' },
  },
  {
    name: 'OpenAPI as it stands',
    rule: rule(
      'Raw',
      `spec:
  openAPIV3Schema:
    type: object
    required: [size]
    properties: { size: { type: integer, minimum: 3 }, extra: { type: object, x-kubernetes-preserve-unknown-fields: true } }`,
    ),
    accepted: { size: 3, extra: { a: 1 } },
    refused: [{ spec: { size: 2 }, message: 'should be greater than or equal to 3' }],
  },
];
