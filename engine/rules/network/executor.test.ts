import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { addRequest, argumentsOf, factsOf, planOf, ruleOf, walkedOf } from './network.fixture.ts';
import type { NetworkRequest } from './program.ts';

const BRIDGE = `
config: { bridge: "string | default=cni0", subnet: "string | required" }
ipam: { ranges: [{ subnet: "\${config.subnet}" }] }
steps:
- bridge: { name: "\${config.bridge}", addresses: "\${ipam.gatewayAddresses}" }
- veth:
    host: { master: "\${config.bridge}" }
    container: { name: "\${request.ifName}", mac: "\${request.?mac}", addresses: "\${ipam.addresses}", routes: "\${ipam.routes}" }
`;

const faultOf = (spec: string, request: NetworkRequest) => {
  const answer = ruleOf(spec).attach(request, factsOf());
  return answer.kind === 'fault' ? answer.fault : answer.kind;
};

describe('a configuration that does not fit', () => {
  const spec = 'config: { mtu: "integer | minimum=68", mode: "string | enum=l2,l3", sub: { net: "string | required" }, list: "[]string" }';
  test.each<[string, JsonObject, object | string]>([
    ['a missing field', {}, { code: 7, msg: 'invalid network configuration: sub.net: a value is required: it has no default' }],
    ['a wrong type', { mtu: '1500' }, { code: 7, msg: 'invalid network configuration: mtu: expected an integer, found "1500"' }],
    ['a value out of range', { mtu: 1 }, { code: 7, msg: 'invalid network configuration: mtu: expected at least 68, found 1' }],
    [
      'a value that is not supported',
      { mode: 'l4' },
      { code: 2, msg: 'invalid network configuration: mode: expected one of l2, l3, found "l4"' },
    ],
    [
      'an item of the wrong type',
      { list: ['a', 1] },
      { code: 7, msg: 'invalid network configuration: list[1]: expected a string, found 1' },
    ],
    ['null is as good as nothing', { mtu: null, sub: { net: 'a', x: 1 } }, 'plan'],
    ["what others read is nobody's business", { sub: { net: 'a' }, other: [1] }, 'plan'],
    [
      'a runtimeConfig of the wrong type',
      { sub: { net: 'a' }, runtimeConfig: { portMappings: [{ hostPort: '80' }] } },
      { code: 7, msg: 'invalid network configuration: runtimeConfig.portMappings[0].hostPort: expected an integer, found "80"' },
    ],
  ])('%s', (_what, config, expected) => {
    expect(faultOf(spec, addRequest(config))).toEqual(expected);
  });

  test('by an OpenAPI schema', () => {
    const openApi =
      'config: { openAPIV3Schema: { type: object, required: [a], properties: { a: { type: string }, m: { type: string, enum: [x] }, width: { type: integer, default: 3 } } } }\nsteps: [{ bridge: { name: "br${config.width}" } }]';
    expect(faultOf(openApi, addRequest({}))).toMatchObject({ code: 7, msg: expect.stringContaining(': a: Required value') });
    expect(faultOf(openApi, addRequest({ a: 'b', m: 'y' }))).toMatchObject({ code: 2 });
    expect(argumentsOf(ruleOf(openApi), addRequest({ a: 'b' }))['bridge-1']).toMatchObject({ name: 'br3' });
  });
});

describe('what is asked for', () => {
  test.each<[string, Partial<NetworkRequest>, JsonObject, string | undefined]>([
    ['nowhere', {}, {}, undefined],
    ['by CNI_ARGS', { args: { MAC: '02:00:00:00:00:01' } }, {}, '02:00:00:00:00:01'],
    [
      'by args.cni, which wins over it',
      { args: { MAC: '02:00:00:00:00:01' } },
      { args: { cni: { mac: '02:00:00:00:00:02' } } },
      '02:00:00:00:00:02',
    ],
    [
      'by the runtime, which wins over all',
      {},
      { args: { cni: { mac: '02:00:00:00:00:02' } }, runtimeConfig: { mac: '02:00:00:00:00:03' } },
      '02:00:00:00:00:03',
    ],
  ])('a MAC address: %s', (_where, details, config, expected) => {
    const args = argumentsOf(ruleOf(BRIDGE), addRequest({ subnet: '10.1.0.0/16', ...config }, details));
    expect((args['veth-1']!['container'] as JsonObject)['mac']).toBe(expected);
  });

  test('addresses, wherever that is said, and ranges of the runtime before those of the rule', () => {
    const config = {
      subnet: '10.1.0.0/16',
      args: { cni: { ips: ['10.1.0.8/16'] } },
      runtimeConfig: { ips: ['10.1.0.9'], ipRanges: [[{ subnet: 'fd00::/64' }]] },
    };
    expect(argumentsOf(ruleOf(BRIDGE), addRequest(config, { args: { IP: '10.1.0.7' } }))['ipam']).toEqual({
      network: 'pods',
      containerId: 'c1',
      ifName: 'eth0',
      ranges: [[{ subnet: 'fd00::/64' }], [{ subnet: '10.1.0.0/16' }]],
      requested: ['10.1.0.7', '10.1.0.8/16', '10.1.0.9'],
      routes: [],
      dns: {},
    });
  });

  test("fields in any case, as containerd hands over Go's own names", () => {
    const config = {
      Subnet: '10.1.0.0/16',
      runtimeConfig: {
        portMappings: [{ HostPort: 8080, ContainerPort: 80, Protocol: 'tcp', HostIP: '' }],
        ipRanges: [[{ Subnet: 'fd00::/64' }]],
      },
    };
    const spec = `${BRIDGE}- portMap: { ports: "\${runtimeConfig.portMappings}", to: "\${ipam.addresses}" }`;
    const args = argumentsOf(ruleOf(spec), addRequest(config));
    expect(args['ipam']).toMatchObject({ ranges: [[{ subnet: 'fd00::/64' }], [{ subnet: '10.1.0.0/16' }]] });
    expect(args['portMap-1']).toMatchObject({ ports: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '' }] });
  });

  test('addresses, as the rule says', () => {
    const spec =
      'ipam: { ranges: [[{ subnet: 10.1.0.0/16 }, { subnet: 10.2.0.0/16 }]], requested: [], routes: [{ dst: 0.0.0.0/0 }], dataDir: /tmp/x }';
    expect(argumentsOf(ruleOf(spec), addRequest({ runtimeConfig: { ips: ['10.1.0.9'] } }))['ipam']).toMatchObject({
      ranges: [[{ subnet: '10.1.0.0/16' }, { subnet: '10.2.0.0/16' }]],
      requested: [],
      routes: [{ dst: '0.0.0.0/0' }],
      dataDir: '/tmp/x',
    });
  });

  describe('addresses, as the configuration says', () => {
    const spec = `
config: { ipam: any, subnet: string }
ipam:
  configuration: "\${config.?ipam}"
  ranges: "\${has(config.subnet) ? [{'subnet': config.subnet}] : []}"
steps: [{ bridge: { name: a, addresses: "\${ipam.addresses}" } }]`;
    const given = (config: JsonObject) => argumentsOf(ruleOf(spec), addRequest(config))['ipam'];

    test.each<[string, JsonObject, JsonObject | undefined]>([
      ['nothing said', {}, undefined],
      ['no type', { ipam: { subnet: '10.1.0.0/16' } }, undefined],
      ['an empty type', { ipam: { type: '' } }, undefined],
      ['ranges that a runtime has for somebody else', { runtimeConfig: { ipRanges: [[{ subnet: '10.1.0.0/16' }]] } }, undefined],
      ['ranges of the rule alone', { subnet: '10.5.0.0/16' }, { ranges: [[{ subnet: '10.5.0.0/16' }]] }],
      [
        'a subnet, as of old',
        { ipam: { type: 'host-local', subnet: '10.1.0.0/16', rangeStart: '10.1.0.9', gateway: '', name: 'x' } },
        { ranges: [[{ subnet: '10.1.0.0/16', rangeStart: '10.1.0.9' }]], routes: [] },
      ],
      [
        'all that host-local has, the subnet before the ranges',
        {
          ipam: {
            type: 'host-local',
            subnet: '10.1.0.0/16',
            ranges: [[{ subnet: '10.2.0.0/16', rangeEnd: null, x: 1 }, { subnet: '10.3.0.0/16' }], [{ subnet: 'fd00::/64' }]],
            routes: [{ dst: '0.0.0.0/0' }],
            dataDir: '/run/networks',
          },
          runtimeConfig: { ipRanges: [[{ subnet: '10.9.0.0/16' }]] },
        },
        {
          ranges: [
            [{ subnet: '10.9.0.0/16' }],
            [{ subnet: '10.1.0.0/16' }],
            [{ subnet: '10.2.0.0/16' }, { subnet: '10.3.0.0/16' }],
            [{ subnet: 'fd00::/64' }],
          ],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: '/run/networks',
        },
      ],
      ['another type', { ipam: { type: 'static', addresses: [] } }, { type: 'static', ipam: true }],
    ])('%s', (_what, config, expected) => {
      if (expected === undefined) expect(given(config)).toBeUndefined();
      else expect(given(config)).toMatchObject(expected);
    });

    test.each<[string, JsonObject, string]>([
      ['no ranges', { type: 'host-local' }, 'there are no ranges to take addresses from'],
      ['ranges of the wrong form', { type: 'host-local', ranges: [['10.1.0.0/16']] }, 'ranges.0.0'],
      ['no network', { type: 'host-local', subnet: '10.1.0.0' }, '"10.1.0.0" is no network'],
    ])('refuses %s', (_what, ipam, message) => {
      expect(() => given({ ipam })).toThrow(message);
    });
  });

  test('addresses of another plugin', () => {
    const spec =
      'config: { ipam: { type: string } }\nipam: { delegate: "${config.ipam.type}" }\nsteps: [{ bridge: { name: a, addresses: "${ipam.addresses}" } }]';
    const request = addRequest({ ipam: { type: 'static', addresses: [] } }, { args: { A: 'b' } });
    const { steps, result } = walkedOf(planOf(ruleOf(spec).attach(request, factsOf())), {
      ipam: {
        interfaces: [],
        ips: [{ address: '10.9.0.2/24', gateway: '10.9.0.1' }],
        routes: [{ dst: '10.0.0.0/8' }],
        dns: { domain: 'x' },
      },
    });
    expect(steps[0]).toMatchObject({
      operation: 'delegate',
      arguments: {
        type: 'static',
        ipam: true,
        config: request.config,
        containerId: 'c1',
        ifName: 'eth0',
        args: { A: 'b' },
        path: ['/opt/cni/bin'],
      },
    });
    expect(steps[1]!.arguments).toMatchObject({ addresses: ['10.9.0.2/24'] });
    expect(result()).toMatchObject({
      ips: [{ address: '10.9.0.2/24', gateway: '10.9.0.1' }],
      routes: [{ dst: '10.0.0.0/8' }],
      dns: { domain: 'x' },
    });
  });

  test.each([
    [
      'ranges that are no networks',
      'ipam: { ranges: [{ subnet: "${config.?x.orValue(\'nowhere\')}" }] }\nconfig: { x: string }',
      'ranges.0.0.subnet: "nowhere" is no network, as 10.1.0.0/16',
    ],
    ['no ranges', 'ipam: { ranges: "${[]}" }', 'there are no ranges to take addresses from'],
    ['a field that is not known', "ipam: { ranges: \"${[{'subnett': '10.1.0.0/16'}]}\" }", 'ranges.0.0.subnett: unknown field "subnett"'],
    [
      'a range that host-local would not take',
      'ipam: { ranges: [{ subnet: "${config.?x.orValue(\'10.1.0.5/16\')}" }] }\nconfig: { x: string }',
      'invalid range set 0: Network has host bits set. For a subnet mask of length 16 the network address is 10.1.0.0',
    ],
  ])('%s', (_what, spec, message) => {
    expect(walkedOf(planOf(ruleOf(spec).attach(addRequest(), factsOf()))).failure).toMatchObject({ step: 'ipam', message });
  });

  test('no addresses at all, where the rule says so', () => {
    const spec =
      'ipam: { when: "false", ranges: [{ subnet: 10.1.0.0/16 }] }\nsteps: [{ bridge: { name: a, addresses: "${ipam.addresses}" } }]';
    expect(argumentsOf(ruleOf(spec))).toMatchObject({ 'bridge-1': { addresses: [] } });
  });
});

describe('objects of the cluster', () => {
  const POD = '{ id: pod, external: { apiVersion: v1, kind: Pod, name: "${args.K8S_POD_NAME}", namespace: "${args.K8S_POD_NAMESPACE}" } }';
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', annotations: { bridge: 'br7' } } };
  const request = addRequest({}, { args: { K8S_POD_NAME: 'web', K8S_POD_NAMESPACE: 'shop' } });
  const spec = `objects: [${POD}]\nsteps: [{ bridge: { name: "\${pod.metadata.annotations.bridge}" } }]`;

  test('are asked for', () => {
    const unknown = { nodeName: 'n1', object: () => undefined, objects: () => undefined };
    expect(ruleOf(spec).attach(request, unknown)).toEqual({
      kind: 'needs',
      needs: { objects: [{ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' }], queries: [] },
    });
  });

  test('are read', () => {
    expect(argumentsOf(ruleOf(spec), request, factsOf(pod))).toMatchObject({ 'bridge-1': { name: 'br7' } });
  });

  test('are waited for where there are none', () => {
    expect(ruleOf(spec).attach(request, factsOf())).toEqual({
      kind: 'fault',
      fault: { code: 11, msg: 'rule net, line 5: the Pod shop/web is not found' },
    });
  });

  test('may be absent', () => {
    const optional = `objects: [${POD.replace('external: {', 'external: { optional: true,')}]\nsteps: [{ bridge: { name: "\${pod.?metadata.annotations.bridge.orValue('cni0')}" } }]`;
    expect(argumentsOf(ruleOf(optional), request, factsOf())).toMatchObject({ 'bridge-1': { name: 'cni0' } });
    expect(argumentsOf(ruleOf(optional), request, factsOf(pod))).toMatchObject({ 'bridge-1': { name: 'br7' } });
  });

  test('are not looked for unless asked', () => {
    const asked = `objects: [${POD.replace('id: pod,', 'id: pod, when: "\'K8S_POD_NAME\' in args",')}]\nsteps: [{ bridge: { name: "\${pod.?metadata.annotations.bridge.orValue('cni0')}" } }]`;
    expect(argumentsOf(ruleOf(asked), addRequest(), factsOf())).toMatchObject({ 'bridge-1': { name: 'cni0' } });
  });

  test('by label, and by what another says', () => {
    const chained = `
objects:
- ${POD}
- { id: peers, external: { apiVersion: v1, kind: Pod, namespace: shop, selector: "\${{'app': pod.metadata.name}}" } }
steps: [{ bridge: { name: "br\${size(peers)}" } }]`;
    const peer = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', namespace: 'shop', labels: { app: 'web' } } };
    expect(argumentsOf(ruleOf(chained), request, factsOf(pod, peer))).toMatchObject({ 'bridge-1': { name: 'br1' } });
  });

  test('are secret where they are Secrets', () => {
    const secret =
      'objects: [{ id: token, external: { apiVersion: v1, kind: Secret, name: a, namespace: b } }]\nsteps: [{ bridge: { name: "${string(int(token.data.x))}" } }]';
    const facts = factsOf({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'b' }, data: { x: 'aHVudGVyMg==' } });
    const { failure } = walkedOf(planOf(ruleOf(secret).attach(addRequest(), facts)));
    expect(failure?.message).toBe('the expression failed; its values are secret (in string(int(token.data.x)))');
  });
});

describe('validations', () => {
  test.each<[string, string, object | string]>([
    ['hold', 'validations: [{ expression: "1 < 2" }]', 'plan'],
    ['fail with their message', 'validations: [{ expression: "1 > 2", message: not so }]', { code: 7, msg: 'not so' }],
    [
      'fail with a code of their own',
      'validations: [{ expression: "1 > 2", messageExpression: "\'not \' + request.ifName", code: 120 }]',
      { code: 120, msg: 'not eth0' },
    ],
    ['fail without a message', 'validations: [{ expression: "1 > 2" }]', { code: 7, msg: 'failed expression: 1 > 2' }],
    ['can not be told', 'validations: [{ expression: "args.A == \'b\'" }]', { code: 101, msg: 'rule net, line 5: no such key: A' }],
  ])('%s', (_what, spec, expected) => {
    expect(faultOf(spec, addRequest())).toEqual(expected);
  });
});

describe('STATUS', () => {
  const NODES = 'objects: [{ id: me, external: { apiVersion: v1, kind: Node, name: "${node.name}" } }]';
  const status = (spec: string, ...objects: readonly JsonObject[]) =>
    ruleOf(spec).status(addRequest({}, { command: 'STATUS' }), factsOf(...objects));
  const me = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDR: '10.1.0.0/24' } };

  test.each<[string, string, readonly JsonObject[], object | undefined]>([
    ['is well without conditions', 'steps: []', [], undefined],
    ['is well where they hold', `${NODES}\nstatus: [{ expression: has(me.spec.podCIDR) }]`, [me], undefined],
    ['says why not', 'status: [{ expression: "1 > 2", message: not yet }]', [], { code: 50, msg: 'not yet' }],
    ['says how bad it is', 'status: [{ expression: "1 > 2", message: cut off, code: 51 }]', [], { code: 51, msg: 'cut off' }],
    [
      'misses an object',
      `${NODES}\nstatus: [{ expression: has(me.spec.podCIDR) }]`,
      [],
      { code: 50, msg: 'rule net, line 5: the Node n1 is not found' },
    ],
    ['has a configuration that does not fit', 'config: { a: "string | required" }', [], { code: 50 }],
  ])('%s', (_what, spec, objects, expected) => {
    if (expected === undefined) expect(status(spec, ...objects)).toBeUndefined();
    else expect(status(spec, ...objects)).toMatchObject(expected);
  });

  test('waits for facts', () => {
    const rule = ruleOf(`${NODES}\nstatus: [{ expression: has(me.spec.podCIDR) }]`);
    expect(rule.status(addRequest(), { nodeName: 'n1', object: () => undefined, objects: () => undefined })).toMatchObject({
      kind: 'needs',
      needs: { objects: [{ kind: 'Node', name: 'n1' }] },
    });
  });
});

describe('steps of the node', () => {
  const spec = `
config: { bridge: "string | default=cni0" }
objects: [{ id: nodes, external: { apiVersion: v1, kind: Node, selector: {} } }]
variables: [{ name: others, expression: "nodes.filter(n, n.metadata.name != node.name)" }]
node:
  steps:
  - bridge: { name: "\${config.bridge}" }
  - bridge: { name: "\${item.metadata.name}" }
    forEach: variables.others
`;
  const nodeOf = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });

  test('are planned, with what they read', () => {
    const answer = ruleOf(spec).node!(addRequest().config, factsOf(nodeOf('n1'), nodeOf('n2')));
    if (answer.kind !== 'plan') throw new Error(JSON.stringify(answer));
    const walk = answer.plan.walk();
    expect([walk.next()?.arguments, walk.done({}), walk.next()?.key]).toMatchObject([{ name: 'cni0' }, undefined, 'bridge-2/0']);
    expect(answer.reads.queries).toEqual([{ apiVersion: 'v1', kind: 'Node', labelSelector: '' }]);
    expect(answer.plan).toMatchObject({ subject: { kind: 'node', network: 'pods' }, netns: undefined });
  });

  test('wait for facts, and are not there without', () => {
    expect(ruleOf(spec).node!({}, { nodeName: 'n1', object: () => undefined, objects: () => undefined })).toMatchObject({ kind: 'needs' });
    expect(ruleOf('steps: []').node).toBeUndefined();
  });
});

describe('annotations of the pod', () => {
  const annotationsOf = (spec: string, request = addRequest({ subnet: '10.1.0.0/16' })) => {
    const plan = planOf(ruleOf(spec).attach(request, factsOf()));
    const { steps, result } = walkedOf(plan);
    return plan.podAnnotations?.(steps, result());
  };

  test('see what the steps ended with, the addresses, and the result as it is answered', () => {
    const spec = `${BRIDGE.replace('- bridge:', '- id: br\n  bridge:')}
result: { dns: { domain: example.com } }
podAnnotations:
  example.com/all: "\${steps.br.name} \${ipam.addresses[0]} \${result.dns.domain}"
  example.com/none: "\${optional.none()}"`;
    expect(annotationsOf(spec)).toEqual({ 'example.com/all': 'cni0 10.1.0.2/16 example.com' });
  });

  test('are none where the rule has none', () => expect(annotationsOf(BRIDGE)).toBeUndefined());

  test.each([
    ['"${1}"', 'example.com/a: expected text, found 1'],
    ['"${result.interfaces[9].name}"', 'index out of bounds: 9'],
  ])('refuse %s', (template, message) => {
    expect(() => annotationsOf(`${BRIDGE}\npodAnnotations: { example.com/a: ${template} }`)).toThrow(message);
  });

  test('are not larger than an object may have them', () => {
    const spec = `${BRIDGE}\npodAnnotations: { a: "\${request.network}" }`;
    expect(() => annotationsOf(spec, addRequest({ subnet: '10.1.0.0/16' }, { network: 'x'.repeat(300_000) }))).toThrow('more than 262144');
  });
});

describe('the result', () => {
  const resultOf = (spec: string, request = addRequest({ subnet: '10.1.0.0/16' })) =>
    walkedOf(planOf(ruleOf(spec).attach(request, factsOf()))).result();

  test('follows from the steps', () => {
    expect(resultOf(BRIDGE)).toMatchObject({
      interfaces: [{ name: 'cni0' }, { name: expect.stringMatching(/^veth/) }, { name: 'eth0', sandbox: '/run/netns/c1' }],
      ips: [{ address: '10.1.0.2/16', gateway: '10.1.0.1', interface: 2 }],
      routes: [],
      dns: {},
    });
  });

  test('has an address once that a step puts on the interface by itself', () => {
    const spec =
      'ipam: { ranges: [{ subnet: 10.1.0.0/16 }] }\nsteps:\n- veth: { container: { name: "${request.ifName}", addresses: ["${net.single(net.address(ipam.addresses[0]))}"] } }';
    expect(resultOf(spec).ips).toEqual([{ address: '10.1.0.2/32', gateway: '10.1.0.1', interface: 1 }]);
  });

  test('adds to what the plugins before gave', () => {
    const prevResult = {
      interfaces: [{ name: 'lo', sandbox: '/run/netns/c1' }],
      ips: [{ address: '127.0.0.1/8', interface: 0 }],
      routes: [{ dst: '127.0.0.0/8' }],
      dns: { domain: 'before' },
    };
    const result = resultOf(BRIDGE, addRequest({ subnet: '10.1.0.0/16' }, { prevResult }));
    expect(result.interfaces.map(({ name }) => name)).toEqual(['lo', 'cni0', expect.anything(), 'eth0']);
    expect(result.ips).toEqual([prevResult.ips[0], { address: '10.1.0.2/16', gateway: '10.1.0.1', interface: 3 }]);
    expect(result.routes).toEqual(prevResult.routes);
    expect(result.dns).toEqual(prevResult.dns);
  });

  test.each<[string, JsonObject, object]>([
    ['of the configuration', { dns: { nameservers: ['10.0.0.10'], search: ['a.b'] } }, { nameservers: ['10.0.0.10'], search: ['a.b'] }],
    [
      'of the runtime, which wins',
      { dns: { domain: 'x' }, runtimeConfig: { dns: { servers: ['10.0.0.11'], searches: ['c'], options: ['ndots:5'] } } },
      { nameservers: ['10.0.0.11'], search: ['c'], options: ['ndots:5'] },
    ],
  ])('has the DNS %s', (_whose, config, dns) => {
    expect(resultOf(BRIDGE, addRequest({ subnet: '10.1.0.0/16', ...config })).dns).toEqual(dns);
  });

  test('may be shaped', () => {
    const shaped = `${BRIDGE}\nresult: { routes: "\${result.routes + [{'dst': '10.0.0.0/8'}]}", dns: { domain: "\${request.network}" } }`;
    expect(resultOf(shaped)).toMatchObject({ ips: [{ interface: 2 }], routes: [{ dst: '10.0.0.0/8' }], dns: { domain: 'pods' } });
  });

  test('must have the form of one', () => {
    expect(() => resultOf(`${BRIDGE}\nresult: { ips: "\${[{'adress': '10.0.0.1/8'}]}" }`)).toThrow('ips.0.adress: unknown field "adress"');
  });
});
