import { given, type KubectlCase, run, subject } from './case.ts';

const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels: {app: shop, tier: back}
data:
  color: red
  size: "3"
`;
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: example.test/web:1
          ports: [{containerPort: 8080}]
`;
const POD = `apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: one}}
spec:
  containers: [{name: main, image: "example.test/one:1"}]
`;
const CRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: $(id)s.$(ns).example.com
spec:
  group: $(ns).example.com
  scope: Namespaced
  names: {plural: $(id)s, singular: $(id), kind: $(id), shortNames: [$(id)x], categories: [all]}
  versions:
    - name: v1
      served: true
      storage: true
      additionalPrinterColumns:
        - {name: Size, type: integer, jsonPath: .spec.size}
        - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
      subresources:
        status: {}
        scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}
      schema:
        openAPIV3Schema:
          description: Something to count.
          type: object
          required: [spec]
          properties:
            spec:
              description: What is wanted.
              type: object
              properties:
                size: {type: integer, minimum: 0, default: 1, description: How many.}
                parts:
                  type: array
                  items: {type: object, properties: {name: {type: string, description: Of the part.}}}
            status:
              type: object
              x-kubernetes-preserve-unknown-fields: true
`;
const WIDGET = `apiVersion: $(ns).example.com/v1
kind: $(id)
metadata: {name: w}
spec: {size: 2}
`;
const FILES = { 'config.yaml': CONFIG, 'deployment.yaml': DEPLOYMENT, 'pod.yaml': POD, 'crd.yaml': CRD, 'widget.yaml': WIDGET };
/** Of an explanation: what it is about, and the names and types of fields. */
const FIELDS = /^(?:GROUP|KIND|VERSION|FIELD):.*|^ +\w+\t<.*/;
const made = given('create -f config.yaml');
const rolledOut = [given('create -f deployment.yaml'), given('rollout status deployment/web --timeout=30s')];
const defined = [
  given('create -f crd.yaml'),
  given('wait --for=condition=Established crd/$(id)s.$(ns).example.com --timeout=20s'),
  given('get $(id)s.$(ns).example.com', { until: /^$/ }),
];

export const kubectlCases: readonly KubectlCase[] = [
  ...subject('get', FILES, {
    table: [
      made,
      run('get configmap settings'),
      run('get cm -l app=shop'),
      run('get configmaps,secrets -l app=shop'),
      run('get cm settings -o wide'),
    ],
    'yaml, json, name': [
      made,
      run('get cm settings -o yaml'),
      run('get cm settings -o json'),
      run('get cm settings -o name'),
      run('get cm settings -o yaml --show-managed-fields'),
    ],
    'jsonpath and columns': [
      made,
      run('get cm settings -o jsonpath=\'{.data.color}{"/"}{.metadata.labels.tier}\''),
      run('get cm -l app=shop -o custom-columns=NAME:.metadata.name,COLOR:.data.color'),
      run("get cm settings -o go-template='{{.data.size}}'"),
      run('get cm -l app=shop -o jsonpath={.items[*].metadata.name}'),
    ],
    'what is not there': [
      run('get cm nothing'),
      run('get nothings'),
      run('get cm nothing --ignore-not-found'),
      run('get secrets -l none=none'),
    ],
    selectors: [
      made,
      run('get cm --field-selector metadata.name=settings'),
      run("get cm -l 'tier in (back,front)' --show-labels"),
      run('get cm -L app -l app=shop'),
      run('get cm -l a=b=c'),
      run('get cm --field-selector x=y'),
    ],
    'in pieces': [made, run('get cm --chunk-size=1 -o name'), run('get cm --sort-by=.metadata.name -o name')],
    'all namespaces': [made, run('get cm -A --field-selector metadata.namespace=$(ns),metadata.name=settings')],
    'a deployment and its pods': [
      ...rolledOut,
      run('get deployment web'),
      run('get deploy web -o wide'),
      run('get rs -l app=web'),
      run('get pods -l app=web'),
      run('get pods -l app=web -o wide'),
      run('get all'),
    ],
    'a file and several': [made, run('get -f config.yaml -o name'), run('get cm/settings sa/default -o name')],
    raw: [made, run('get --raw /api/v1/namespaces/$(ns)/configmaps/none'), run('get --raw /version', { compare: 'exit code' })],
    watch: [
      made,
      run('get cm settings -w -o name', { endAt: /settings\n/ }),
      run('get cm settings --watch-only -o name', { endAfterMs: 1000 }),
    ],
    nodes: [run('get nodes'), run('get namespaces default kube-system')],
    subresource: [
      ...rolledOut,
      run('get deployment web --subresource=scale'),
      run('get deployment web --subresource=status -o jsonpath={.status.replicas}'),
    ],
  }),
  ...subject('create', FILES, {
    'from a file': [run('create -f config.yaml'), run('create -f config.yaml'), run('create -f nothing.yaml')],
    generators: [
      run('create configmap lit --from-literal=a=1 --from-literal=b=2'),
      run('get cm lit -o jsonpath={.data}'),
      run('create secret generic hidden --from-literal=password=x'),
      run('create serviceaccount robot'),
      run('create deployment quick --image=example.test/quick:1 --replicas=1'),
      run('create job once --image=example.test/once:1 -- true'),
      run("create cronjob often --image=example.test/often:1 --schedule='*/5 * * * *' -- true"),
      run('create role reader --verb=get,list --resource=pods'),
      run('create rolebinding reader --role=reader --serviceaccount=$(ns):robot'),
      run('create quota limited --hard=pods=100'),
      run('create service clusterip front --tcp=80:8080'),
      run("create ingress in --rule='a.example.test/=front:80'"),
      run('create namespace $(ns)-b'),
      run('create priorityclass $(ns) --value=5'),
      run('create pdb web --selector=app=web --min-available=1'),
    ],
    token: [run('create token default --duration=1h', { compare: 'exit code' }), run('create token none')],
    'dry run': [
      run('create -f config.yaml --dry-run=server -o yaml'),
      run('create -f config.yaml --dry-run=client -o name'),
      run('get cm settings'),
    ],
    'bad fields': [
      run('create -f - --validate=strict', { stdin: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nnope: 1\n' }),
      run('create -f - --validate=warn', { stdin: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nnope: 1\n' }),
      run('create -f - --validate=ignore', { stdin: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\nnope: 1\n' }),
      run('create -f -', { stdin: 'apiVersion: nothing/v1\nkind: Nothing\nmetadata: {name: a}\n' }),
    ],
    'generated names': [
      run('create -f - -o name', { stdin: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: gen-}\n', only: /^configmap\/gen-/ }),
    ],
  }),
  ...subject(
    'apply',
    { ...FILES, 'changed.yaml': CONFIG.replace('red', 'blue').replace('  size: "3"\n', ''), 'two.yaml': `${CONFIG}---\n${WIDGET}` },
    {
      'client side': [
        run('apply -f config.yaml'),
        run('apply -f config.yaml'),
        run('apply -f changed.yaml'),
        run('get cm settings -o jsonpath={.data}'),
        run('apply view-last-applied cm/settings'),
        run('diff -f config.yaml', { only: /^[+-] .*/ }),
      ],
      'server side': [
        run('apply --server-side -f config.yaml'),
        run('apply --server-side -f changed.yaml'),
        run('get cm settings -o yaml --show-managed-fields'),
      ],
      'server side, conflict and force': [
        run('apply --server-side -f config.yaml'),
        run('apply --server-side --field-manager=other -f changed.yaml'),
        run('apply --server-side --field-manager=other --force-conflicts -f changed.yaml'),
      ],
      'from client side to server side': [
        run('apply -f config.yaml'),
        run('apply --server-side -f changed.yaml'),
        run('get cm settings -o jsonpath={.data}'),
      ],
      'a deployment twice': [
        run('apply -f deployment.yaml'),
        run('apply -f deployment.yaml'),
        run('apply -f - ', { stdin: DEPLOYMENT.replace('replicas: 2', 'replicas: 3') }),
        run('get deployment web -o jsonpath={.spec.replicas}'),
      ],
      'dry run': [
        run('apply -f config.yaml --dry-run=server'),
        run('apply -f config.yaml --dry-run=client'),
        run('apply --server-side --dry-run=server -f config.yaml'),
      ],
      'a custom resource': [
        ...defined,
        run('apply -f widget.yaml'),
        run('apply -f widget.yaml'),
        run('apply --server-side -f widget.yaml'),
        run('get $(id) w'),
      ],
      'something made by create': [made, run('apply -f config.yaml')],
      'edit, set, view': [
        given('apply -f config.yaml'),
        run('apply set-last-applied -f changed.yaml'),
        run('apply view-last-applied cm settings -o json'),
      ],
    },
  ),
  ...subject(
    'diff',
    { ...FILES, 'changed.yaml': CONFIG.replace('red', 'blue') },
    {
      'of nothing yet': [run('diff -f config.yaml', { only: /^\+.*color.*/ })],
      'of no change': [made, run('diff -f config.yaml', { compare: 'exit code' })],
      'of a change': [
        made,
        run('diff -f changed.yaml', { only: /^[+-] .*/ }),
        run('diff --server-side -f changed.yaml', { only: /^[+-] .*/ }),
      ],
    },
  ),
  ...subject('edit', FILES, {
    'a change': [
      made,
      run('edit cm settings', { environment: { KUBE_EDITOR: "sed -i 's/color: red/color: green/'" } }),
      run('get cm settings -o jsonpath={.data.color}'),
    ],
    'no change': [made, run('edit cm settings', { environment: { KUBE_EDITOR: 'true' } })],
    'the status': [...rolledOut, run('edit deployment web --subresource=status', { environment: { KUBE_EDITOR: 'true' } })],
  }),
  ...subject(
    'replace',
    { ...FILES, 'changed.yaml': CONFIG.replace('red', 'blue') },
    {
      'what is there': [
        made,
        run('replace -f changed.yaml'),
        run('get cm settings -o jsonpath={.data.color}'),
        run('replace --force -f config.yaml'),
      ],
      'what is not there': [run('replace -f config.yaml')],
    },
  ),
  ...subject('patch', FILES, {
    kinds: [
      given('create -f deployment.yaml'),
      run(`patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"1"}]}]}}}}'`),
      run(`patch deployment web --type=merge -p '{"spec":{"replicas":1}}'`),
      run(`patch deployment web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":0}]'`),
      run('get deployment web -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[0].env}'),
      run(`patch deployment web --type=merge -p '{"spec":{"replicas":"x"}}'`, { only: /^The request is invalid|json: cannot .*/ }),
      run(`patch deployment web --subresource=status --type=merge -p '{"status":{"replicas":0}}'`),
      run(`patch deployment web --subresource=scale --type=merge -p '{"spec":{"replicas":1}}'`),
      run(`patch deployment web --type=merge -p '{}'`),
    ],
    'a custom resource': [
      ...defined,
      given('create -f widget.yaml'),
      run(`patch $(id) w --type=merge -p '{"spec":{"size":4}}'`),
      run(`patch $(id) w -p '{"spec":{"size":4}}'`),
      run(`patch $(id) w --subresource=status --type=merge -p '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'`),
      run('get $(id) w'),
    ],
  }),
  ...subject('delete', FILES, {
    'one and again': [made, run('delete cm settings'), run('delete cm settings'), run('delete cm settings --ignore-not-found')],
    'by file and label': [made, run('delete -f config.yaml'), made, run('delete cm -l app=shop')],
    cascade: [
      ...rolledOut,
      run('delete deployment web --cascade=orphan'),
      run('get rs -l app=web -o jsonpath={.items[*].metadata.ownerReferences}'),
      run('delete rs -l app=web --cascade=foreground', { only: /deleted/ }),
      run('get pods -l app=web -o name', { until: /^$/ }),
    ],
    background: [...rolledOut, run('delete deployment web'), run('get pods -l app=web -o name', { until: /^$/ })],
    'without waiting': [
      given('create -f pod.yaml'),
      run('delete pod one --wait=false'),
      run('get pod one --ignore-not-found -o name', { until: /^$/ }),
    ],
    force: [given('create -f pod.yaml'), run('delete pod one --force --grace-period=0')],
    'all of a kind': [made, run('delete cm settings --dry-run=server'), run('delete cm --all', { anyOrder: true })],
    'a namespace': [
      given('create namespace $(ns)-b'),
      given('-n $(ns)-b create -f config.yaml'),
      run('delete namespace $(ns)-b'),
      run('get ns $(ns)-b'),
    ],
  }),
  ...subject('wait', FILES, {
    'for a condition': [given('create -f deployment.yaml'), run('wait --for=condition=Available deployment/web --timeout=20s')],
    'for a path': [given('create -f deployment.yaml'), run("wait --for=jsonpath='{.status.readyReplicas}'=2 deployment/web --timeout=20s")],
    'for deletion': [
      made,
      given('delete cm settings --wait=false'),
      run('wait --for=delete cm/settings --timeout=10s'),
      run('wait --for=condition=Ready cm/none --timeout=1s'),
    ],
    'in vain': [made, run('wait --for=condition=Ready cm/settings --timeout=1s')],
    'for creation': [made, run('wait --for=create cm/settings --timeout=5s')],
  }),
  ...subject('explain', FILES, {
    'built in': [
      run('explain configmap'),
      run('explain deployment.spec.replicas'),
      run('explain pod.spec.containers.resources'),
      run('explain deployment.spec.nothing'),
      run('explain nothing'),
    ],
    'fields of built in kinds': [
      run('explain configmap', { only: FIELDS }),
      run('explain deployment.spec', { only: FIELDS }),
      run('explain pod.spec.containers', { only: FIELDS }),
      run('explain service --recursive', { only: FIELDS }),
      run('explain cronjob.spec --recursive', { only: FIELDS }),
    ],
    recursive: [run('explain lease --recursive'), run('explain cronjob.spec --recursive')],
    'a custom resource': [
      ...defined,
      run('explain $(id)', { until: /Something/ }),
      run('explain $(id).spec.size'),
      run('explain $(id) --recursive'),
      run('explain $(id)x.spec.parts'),
    ],
  }),
  ...subject('api', FILES, {
    resources: [
      run('api-resources --api-group=apps -o wide'),
      run('api-resources --api-group=apiextensions.k8s.io'),
      run('api-resources --namespaced=false --api-group=rbac.authorization.k8s.io -o name'),
      run("api-resources --api-group='' -o name", { only: /^(configmaps|pods|secrets|services|namespaces|nodes|events|serviceaccounts)$/ }),
    ],
    'resources of custom groups': [...defined, run('api-resources --api-group=$(ns).example.com'), run('get $(id)x')],
    versions: [
      run('api-versions', {
        only: /^(v1|apps\/v1|batch\/v1|autoscaling\/v[12]|policy\/v1|apiextensions.k8s.io\/v1|rbac.authorization.k8s.io\/v1|coordination.k8s.io\/v1)$/,
      }),
    ],
    version: [
      run('version', { only: /^(Client|Server|Kustomize) Version: v?[\d.]+/ }),
      run('cluster-info', { only: /Kubernetes control plane/ }),
    ],
    config: [run('config current-context', { compare: 'exit code' }), run('config view --minify', { compare: 'exit code' })],
  }),
  ...subject('scale', FILES, {
    'a deployment': [
      ...rolledOut,
      run('scale deployment web --replicas=1'),
      run('scale deployment web --current-replicas=9 --replicas=1'),
      run('scale deployment none --replicas=1'),
      run('rollout status deployment/web --timeout=20s', { only: /successfully rolled out/ }),
    ],
    'a custom resource': [...defined, given('create -f widget.yaml'), run('scale $(id) w --replicas=7'), run('get $(id) w')],
    autoscale: [
      given('create -f deployment.yaml'),
      run('autoscale deployment web --min=1 --max=3 --cpu-percent=50'),
      run('get hpa web -o jsonpath={.spec.minReplicas}/{.spec.maxReplicas}'),
    ],
  }),
  ...subject('rollout', FILES, {
    'status, history, undo': [
      ...rolledOut,
      run('set image deployment/web web=example.test/web:2'),
      run('rollout status deployment/web --timeout=30s', { only: /successfully rolled out/ }),
      run('rollout history deployment/web'),
      run('rollout history deployment/web --revision=1', { only: /Image:.*/ }),
      run('rollout undo deployment/web'),
      run('rollout status deployment/web --timeout=30s', { only: /successfully rolled out/ }),
      run('get deployment web -o jsonpath={.spec.template.spec.containers[0].image}'),
      run('rollout history deployment/web'),
    ],
    'restart, pause, resume': [
      ...rolledOut,
      run('rollout restart deployment/web'),
      run('rollout status deployment/web --timeout=30s', { only: /successfully rolled out/ }),
      run('rollout pause deployment/web'),
      run('rollout pause deployment/web'),
      run('rollout resume deployment/web'),
    ],
    'of a stateful set': [
      given('create -f -', {
        stdin: DEPLOYMENT.replace('kind: Deployment', 'kind: StatefulSet').replace(
          '  replicas: 2\n',
          '  replicas: 2\n  serviceName: web\n',
        ),
      }),
      run('rollout status statefulset/web --timeout=30s', { only: /rolling update complete.*/ }),
      run('get statefulset web'),
      run('get pods -l app=web -o name'),
    ],
  }),
  ...subject('auth', FILES, {
    'can-i': [
      run('auth can-i create deployments'),
      run('auth can-i get pods --as=alice'),
      run('auth can-i list nodes --as=system:serviceaccount:$(ns):default'),
      given('create role reader --verb=get,list --resource=configmaps'),
      given('create rolebinding reader --role=reader --user=alice'),
      run('auth can-i list configmaps --as=alice', { until: /yes/ }),
      run('auth can-i delete configmaps --as=alice'),
      run('get cm -o name --as=alice'),
      run('get secrets --as=alice'),
      run('auth can-i --list --as=alice', { only: /^configmaps .*/ }),
      run('auth can-i get /healthz --as=alice'),
    ],
    whoami: [run('auth whoami', { compare: 'exit code' }), run('auth whoami --as=alice --as-group=dev')],
    reconcile: [
      run('auth reconcile -f -', {
        stdin:
          'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: $(ns)}\nrules: [{apiGroups: [""], resources: [pods], verbs: [get]}]\n',
      }),
      run('describe role r'),
    ],
  }),
  ...subject('change', FILES, {
    'labels and annotations': [
      made,
      run('label cm settings new=label'),
      run('label cm settings new=other'),
      run('label cm settings new=other --overwrite'),
      run('label cm settings new-'),
      run('label cm settings bad=-x-'),
      run('annotate cm settings note=hello'),
      run('annotate cm settings note-'),
      run('get cm settings --show-labels'),
    ],
    set: [
      given('create -f deployment.yaml'),
      run('set env deployment/web A=1'),
      run('set resources deployment web --limits=cpu=1'),
      run('set env deployment/web --list'),
      run('set serviceaccount deployment web default'),
      given('create service clusterip web --tcp=80'),
      run('set selector service web app=other'),
    ],
    'run and expose': [
      run('run quick --image=example.test/quick:1 --port=80'),
      run('expose pod quick --port=80'),
      given('create -f deployment.yaml'),
      run('expose deployment web --port=80 --target-port=8080 --type=NodePort'),
      run('get service web quick'),
      run('wait --for=condition=Ready pod/quick --timeout=20s'),
    ],
    taint: [run('taint nodes none a=b:NoSchedule'), run('cordon none')],
  }),
  ...subject('describe', FILES, {
    'config map': [made, run('describe cm settings')],
    deployment: [
      ...rolledOut,
      run('describe deployment web', {
        only: /^(Name|Namespace|Labels|Selector|Replicas|StrategyType|RollingUpdateStrategy|NewReplicaSet|OldReplicaSets):.*|^ +(Available|Progressing) .*/,
      }),
    ],
    pod: [
      given('create -f pod.yaml'),
      given('wait --for=condition=Ready pod/one --timeout=20s'),
      run('describe pod one', {
        only: /^(Name|Namespace|Labels|Status|QoS Class|Service Account):.*|^ +(Image|State|Ready|Restart Count):.*/,
      }),
    ],
    namespace: [run('describe namespace $(ns)')],
    service: [
      given('create -f deployment.yaml'),
      given('expose deployment web --port=80'),
      run('describe service web', { only: /^(Name|Namespace|Labels|Selector|Type|IP Families|Port|TargetPort|Session Affinity):.*/ }),
    ],
    secret: [given('create secret generic hidden --from-literal=password=x'), run('describe secret hidden')],
    'custom resource': [...defined, given('create -f widget.yaml'), run('describe $(id) w')],
    nothing: [run('describe cm nothing')],
  }),
  ...subject('events', FILES, {
    'of a deployment': [
      ...rolledOut,
      run('get events --field-selector involvedObject.kind=Deployment -o jsonpath=\'{range .items[*]}{.reason}: {.type}{"\\n"}{end}\'', {
        until: /Scaling/,
      }),
      run('events --for deployment/web', { compare: 'exit code' }),
    ],
  }),
];
