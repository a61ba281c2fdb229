import {
  any,
  boolean,
  choice,
  doc,
  type Infer,
  integer,
  list,
  map,
  named,
  object,
  oneOf,
  optional,
  string,
  union,
} from '../../text/shape.ts';
import { labelSelector, variable } from '../shapes.ts';

const metadata = object(
  {
    name: string({ minLength: 1, doc: 'Name of the rule: its field manager is fairlead/<name>.' }),
    namespace: optional(string()),
    labels: optional(map(string())),
    annotations: optional(map(string())),
  },
  { open: true },
);

const printerColumn = object({
  name: string({ doc: 'Heading of the column.' }),
  path: string({ doc: 'JSONPath, as .status.availableReplicas.' }),
  type: optional(doc('Default: what the schema says of the path.', oneOf('string', 'integer', 'number', 'boolean', 'date'))),
  format: optional(string({ doc: 'OpenAPI format of the value.' })),
  description: optional(string()),
  priority: optional(integer({ minimum: 0, doc: '0 (the default) is always shown, higher ones with -o wide.' })),
});

const schemaValidation = object({
  rule: string({ doc: 'CEL over self, the whole object; oldSelf is the one before an update.' }),
  message: optional(string({ doc: 'What the user reads; without it, the rule.' })),
  messageExpression: optional(string({ doc: 'CEL, of type string; takes precedence over message.' })),
  reason: optional(oneOf('FieldValueInvalid', 'FieldValueForbidden', 'FieldValueRequired', 'FieldValueDuplicate')),
  fieldPath: optional(string({ doc: 'The field that is reported, as .spec.replicas.' })),
});

/** What makes the CustomResourceDefinition. */
export const resource = named(
  'ResourceDefinition',
  object({
    group: string({ doc: 'API group, as apps.example.com.' }),
    version: string({ doc: 'API version, as v1alpha1.' }),
    kind: string({ doc: 'Kind of the instances, as MyApp.' }),
    plural: optional(string({ doc: 'Default: the kind in lower case and in the plural.' })),
    singular: optional(string({ doc: 'Default: the kind in lower case.' })),
    shortNames: optional(list(string(), { doc: 'Short names for kubectl.' })),
    categories: optional(list(string(), { doc: 'Groups of resources it belongs to, as all.' })),
    scope: optional(doc('Default: Namespaced.', oneOf('Namespaced', 'Cluster'))),
    labels: optional(map(string(), { doc: 'Labels of the CustomResourceDefinition.' })),
    annotations: optional(map(string(), { doc: 'Annotations of the CustomResourceDefinition.' })),
    types: optional(map(any(), { doc: 'Short schemas with a name, to be used as a type in the others.' })),
    spec: optional(any({ doc: 'Short schema of spec: `replicas: integer | default=1 minimum=0`; or OpenAPI below openAPIV3Schema.' })),
    status: optional(any({ doc: 'Short schema of status; conditions and observedGeneration are always there.' })),
    validations: optional(list(schemaValidation, { doc: 'x-kubernetes-validations of the whole object.' })),
    printerColumns: optional(list(printerColumn, { doc: 'Columns of kubectl get; Ready and Age follow.' })),
    scale: optional(
      object(
        {
          specReplicasPath: string({ doc: 'As .spec.replicas.' }),
          statusReplicasPath: string({ doc: 'As .status.replicas.' }),
          labelSelectorPath: optional(string({ doc: 'As .status.selector.' })),
        },
        { doc: 'The scale subresource, for kubectl scale and autoscalers.' },
      ),
    ),
  }),
);
export type ResourceDocument = Infer<typeof resource>;

const decorated = object({
  apiVersion: string(),
  kind: string(),
  selector: optional(doc('Only objects with these labels.', labelSelector)),
});

const forEach = union(
  string({ doc: 'CEL, a list (item and index are bound) or a map (item and key).' }),
  map(string(), { doc: 'CEL lists by the name that their items are bound to: every combination.' }),
);

const deletion = object({
  policy: optional(doc('Delete is the default; Orphan leaves what exists as it is.', oneOf('Delete', 'Orphan'))),
});

const external = object({
  apiVersion: string(),
  kind: string(),
  name: optional(string({ doc: 'A template: the object of this name.' })),
  namespace: optional(string({ doc: "A template. Default: the instance's namespace." })),
  selector: optional(any({ doc: 'A label selector, a template: all objects with these labels, as a list.' })),
  allNamespaces: optional(boolean({ doc: 'With selector: in all namespaces.' })),
  optional: optional(boolean({ doc: 'Without the object, the entry counts as left out by when, instead of being waited for.' })),
});

/** What kro calls the fields of an entry. */
const elsewhere = { includeWhen: 'when', readyWhen: 'ready', externalRef: 'external', dependsOn: 'after' };

/** Fields of all entries that may be left out, repeat, and depend on others. */
const entryFields = {
  id: string({ doc: 'Name of what the entry stands for, in expressions.' }),
  when: optional(string({ doc: 'CEL, of type bool: whether there is such an entry at all.' })),
  forEach: optional(doc('CEL, a list or a map: one of it for each item.', forEach)),
  key: optional(
    string({
      doc: 'CEL, of type string or int: what an item is told apart by. Default: the key of a map, the item of a list of strings or numbers.',
    }),
  ),
  after: optional(list(string(), { doc: 'Ids of entries to wait for, beside those that expressions refer to.' })),
  waitFor: optional(
    doc(
      'What of the entries it refers to: that they are Ready (the default), or that they Exist, which is enough to read them.',
      oneOf('Ready', 'Exists'),
    ),
  ),
};

export const objectEntry = named(
  'ObjectEntry',
  choice(
    {
      template: map(any(), { doc: 'An object that is to exist: a template with apiVersion, kind and metadata.name.' }),
      patch: map(any(), {
        doc: 'Fields of an object that others made: a template with apiVersion, kind and metadata.name. Never created, never deleted.',
      }),
      external: doc('An object that others made: read, watched, never written.', external),
    },
    {
      ...entryFields,
      ready: optional(string({ doc: 'CEL, of type bool: whether the object is ready. Default: by the rules of kstatus.' })),
      deletion: optional(doc('What happens to the object when it is no longer wanted.', deletion)),
      adopt: optional(
        doc(
          'Whether an object that exists already may become ours: Never, IfUnowned (the default: nobody controls it), Force.',
          oneOf('Never', 'IfUnowned', 'Force'),
        ),
      ),
      force: optional(
        boolean({ doc: 'Takes fields over that another manager has set to something else, instead of reporting a conflict.' }),
      ),
      ignore: optional(list(string(), { doc: 'Paths, as $.spec.replicas: set when the object is made, and left to others afterwards.' })),
      onImmutable: optional(doc('What to do when a field must change that cannot. Default: Report.', oneOf('Report', 'Recreate'))),
    },
    { elsewhere },
  ),
);
export type ObjectEntryDocument = Infer<typeof objectEntry>;

const random = object({
  key: optional(string({ doc: 'Key in the Secret, and field of the id in expressions beside value. Default: value.' })),
  length: optional(integer({ minimum: 1, maximum: 4096, doc: 'Characters. Default: 32.' })),
  alphabet: optional(string({ minLength: 2, maxLength: 256, doc: 'Default: letters and digits.' })),
});

const x509 = object({
  commonName: string({ doc: 'A template.' }),
  dnsNames: optional(any({ doc: 'A template of a list of strings.' })),
  ipAddresses: optional(any({ doc: 'A template of a list of strings.' })),
  isCA: optional(boolean({ doc: 'May sign other certificates.' })),
  algorithm: optional(doc('Default: ECDSA, on P-256.', oneOf('ECDSA', 'RSA'))),
  duration: optional(string({ doc: 'A template: as 2160h, which is the default.' })),
  renewBefore: optional(string({ doc: 'A template: how long before its end a new one is made. Default: a third of the duration.' })),
  rotateKey: optional(boolean({ doc: 'Makes a new key with every certificate.' })),
  usages: optional(list(string(), { doc: 'As server auth, client auth, digital signature.' })),
  issuer: optional(
    object(
      { name: string({ doc: 'A template.' }), namespace: optional(string({ doc: "A template. Default: the instance's namespace." })) },
      { doc: 'Secret with the tls.crt and tls.key of the authority. Default: the certificate signs itself.' },
    ),
  ),
});

export const generateEntry = named(
  'GenerateEntry',
  choice(
    {
      random: doc('A random text.', random),
      x509: doc('A private key and a certificate.', x509),
    },
    {
      ...entryFields,
      secret: optional(
        object(
          {
            name: optional(string({ doc: "A template. Default: <instance>-<id>, with the item's key where the entry repeats." })),
            namespace: optional(string({ doc: "A template. Default: the instance's namespace." })),
          },
          { doc: 'The Secret that keeps the values.' },
        ),
      ),
    },
  ),
);
export type GenerateEntryDocument = Infer<typeof generateEntry>;

const httpRequest = object({
  method: optional(doc('Default: GET.', oneOf('GET', 'POST', 'PUT', 'PATCH', 'DELETE'))),
  url: string({ doc: 'A template.' }),
  headers: optional(map(string(), { doc: 'A template.' })),
  body: optional(any({ doc: 'A template; sent as JSON unless it is text.' })),
  timeout: optional(string({ doc: 'As 10s, which is the default.' })),
  expect: optional(list(integer({ minimum: 100, maximum: 599 }), { doc: 'Statuses that count as success. Default: 200 to 299.' })),
});
export type HttpRequestDocument = Infer<typeof httpRequest>;

export const callEntry = named(
  'CallEntry',
  object({
    ...entryFields,
    http: doc('The request.', httpRequest),
    idempotencyKey: optional(
      string({ doc: "A template: same key, same call. Default: made of the instance's uid, the id and the item's key." }),
    ),
    refresh: optional(string({ doc: 'A template, as 1h: how old an answer may be before the call is made anew. Default: any age.' })),
    undo: optional(doc('Undoes the call when the instance goes, or when is false; the id stands for the answer.', httpRequest)),
  }),
);
export type CallEntryDocument = Infer<typeof callEntry>;

export const reconcileCondition = object({
  type: string({ doc: 'As Available. Ready, Reconciling and Stalled are written by Fairlead.' }),
  expression: string({ doc: 'CEL, of type bool; Unknown while what it reads is not there.' }),
  reason: optional(string({ doc: 'A template: one word. Default: the type, with Not before it where false.' })),
  message: optional(string({ doc: 'A template.' })),
});

/** `ReconcileRule`: a custom resource, or objects that exist, and what they stand for. */
export const reconcileRule = object({
  apiVersion: oneOf('fairlead.dev/v1alpha1'),
  kind: oneOf('ReconcileRule'),
  metadata,
  spec: object(
    {
      description: optional(string()),
      resource: optional(doc('Makes the CustomResourceDefinition of the instances.', resource)),
      for: optional(doc('The instances are objects of a kind that exists; instead of resource.', decorated)),
      variables: optional(list(variable, { doc: 'Named expressions, read as variables.<name>.' })),
      objects: optional(list(objectEntry, { doc: 'What is to exist, and what is read. The order follows from who refers to whom.' })),
      generate: optional(list(generateEntry, { doc: 'Values that are made once and stay.' })),
      calls: optional(list(callEntry, { doc: 'The outside world: each call happens once.' })),
      status: optional(map(any(), { doc: 'A template of status; a field is absent as long as what it reads is not there.' })),
      conditions: optional(list(reconcileCondition, { doc: 'Conditions beside Ready, Reconciling and Stalled.' })),
      requeueAfter: optional(string({ doc: 'A template that yields a duration, as 5m: look again after this time without an event.' })),
      deletion: optional(doc('What happens to the objects when the instance goes.', deletion)),
    },
    { elsewhere: { schema: 'resource', resources: 'objects' } },
  ),
});
export type ReconcileRuleDocument = Infer<typeof reconcileRule>;
