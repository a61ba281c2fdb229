import { describe, expect, test } from 'vitest';
import { compileBundle } from '../../bundle/compile.ts';
import { parseYaml } from '../../text/yaml.ts';
import { compileText, picturesOf, ruleOf, ruleText } from './network.fixture.ts';

/** What is wrong, and how it is told: the pictures are in a file beside. */
const MISTAKES: readonly (readonly [what: string, spec: string])[] = [
  ['a field that is not known', 'step: []'],
  ['a type in the schema of the configuration', 'config: { mtu: int }'],
  ['a schema that is no map', 'config: string'],
  ['a field that every configuration has', 'config: { name: string, runtimeConfig: "map[string]any" }'],
  ['a field of the configuration that is not declared', 'config: { bridge: string }\nsteps:\n- bridge: { name: "${config.brige}" }'],
  ['a field of the request that there is not', 'steps:\n- bridge: { name: "${request.ifname}" }'],
  ['a capability that there is not', 'variables:\n- { name: ports, expression: runtimeConfig.portMaps }'],
  ['addresses without ipam', 'steps:\n- bridge: { name: cni0, addresses: "${ipam.gatewayAddresses}" }'],
  ['addresses before there are any', 'ipam: { ranges: [{ subnet: 10.1.0.0/16, gateway: "${ipam.gateway}" }] }'],
  ['a name that nothing looks like', 'steps:\n- bridge: { name: "${settings.bridge}" }'],
  ['no network', 'ipam: { ranges: [{ subnet: 10.1.0.0/33 }] }'],
  ['an address in the place of a network', 'ipam: { ranges: [{ subnet: 10.1.0.5/24 }] }'],
  ['an expression that is written as text', 'config: { subnet: string }\nipam: { ranges: [{ subnet: config.subnet }] }'],
  ['a range outside of its network', 'ipam: { ranges: [{ subnet: 10.1.0.0/24, rangeStart: 10.2.0.5 }] }'],
  [
    'a range of a network that is not known yet',
    'config: { subnet: string }\nipam: { ranges: [{ subnet: "${config.subnet}", rangeEnd: 10.2.0 }] }',
  ],
  ['ranges with other words', 'ipam: { ranges: [{ subnett: 10.1.0.0/24, start: 10.1.0.5 }, 10.2.0.0/24] }'],
  ['ranges that overlap', 'ipam: { ranges: [{ subnet: 10.1.0.0/24 }, { subnet: 10.1.0.0/16 }] }'],
  ['ranges that are none', 'ipam: { ranges: 10.1.0.0/24 }'],
  ['addresses from nowhere', 'ipam: { routes: [] }'],
  ['a variable that comes later', 'variables:\n- { name: a, expression: variables.b }\n- { name: b, expression: "1" }'],
  ['a variable twice', 'variables:\n- { name: a, expression: "2" }\n- { name: a, expression: "1" }'],
  ['a condition that is no bool', 'validations:\n- expression: config.mtu\nconfig: { mtu: integer }'],
  ['a code that STATUS has not', 'status:\n- { expression: "true", code: 11 }'],
  [
    'an object with a name that has a meaning',
    'objects:\n- { id: request, external: { apiVersion: v1, kind: Node, name: "${node.name}" } }',
  ],
  ['an object with a name and a selector', 'objects:\n- { id: a, external: { apiVersion: v1, kind: Node, name: a, selector: {} } }'],
  ['an object of an unknown kind', 'objects:\n- { id: a, external: { apiVersion: v1, kind: Nod, name: a } }'],
  ['an object without its namespace', 'objects:\n- { id: pod, external: { apiVersion: v1, kind: Pod, name: "${args.K8S_POD_NAME}" } }'],
  ['an object in no namespace', 'objects:\n- { id: a, external: { apiVersion: v1, kind: Node, name: a, namespace: b } }'],
  [
    'an object that needs a later one',
    'objects:\n- { id: a, external: { apiVersion: v1, kind: Node, name: "${b.metadata.name}" } }\n- { id: b, external: { apiVersion: v1, kind: Node, name: x } }',
  ],
  [
    'a field that the kind of an object has not',
    'objects:\n- { id: a, external: { apiVersion: v1, kind: Node, name: x } }\nsteps:\n- bridge: { name: "${a.spec.podCidr}" }',
  ],
  ['the request, in steps of the node', 'node:\n  steps:\n  - bridge: { name: "${request.ifName}" }'],
  [
    'a variable of the request, in steps of the node',
    'variables:\n- { name: a, expression: request.ifName }\nnode:\n  steps:\n  - bridge: { name: "${variables.a}" }',
  ],
  [
    'an object of the request, in steps of the node',
    'objects:\n- { id: pod, external: { apiVersion: v1, kind: Pod, name: "${args.K8S_POD_NAME}", namespace: a } }\nnode:\n  steps:\n  - bridge: { name: "${pod.metadata.name}" }',
  ],
  ['arguments of the runtime, in the status', 'status:\n- expression: args.K8S_POD_NAME != ""'],
  ['an unknown operation', 'steps:\n- brigde: { name: cni0 }'],
  ['a condition by another word', 'steps:\n- bridge: { name: cni0 }\n  if: config.x'],
  ['addresses as a step', 'steps:\n- ipam: { type: host-local }'],
  ['a timeout without its unit', 'steps:\n- bridge: { name: cni0 }\n  timeout: 10'],
  ['a template that does not end', 'steps:\n- bridge: { name: "${request.ifName" }'],
  ['a template of another tool', 'steps:\n- bridge: { name: "{{ .Values.bridge }}" }'],
  ['one where a list is', 'steps:\n- masquerade: { from: 10.1.0.0/16 }'],
  ['an address that is none', 'steps:\n- bridge: { name: cni0, addresses: [10.1.0.300/16] }'],
  ['a result that is none', 'result: [a]'],
  ['an annotation that is none', 'podAnnotations: { -x: a }'],
];

test('mistakes are shown where they stand', async () => {
  const pictures = MISTAKES.map(([what, spec]) => `### ${what}\n\n${picturesOf(spec)}\n`);
  for (const [what, spec] of MISTAKES) expect(compileText(spec).program, what).toBeUndefined();
  await expect(pictures.join('\n')).toMatchFileSnapshot('testdata/mistakes.txt');
});

test('a step that uses what a later one makes is a warning', () => {
  expect(
    picturesOf('steps:\n- veth: { host: { master: br0 }, container: { name: eth0 } }\n- bridge: { name: br0 }'),
  ).toMatchInlineSnapshot(`
    "rule.yaml:6:29: warning: br0 is made by a later step, on line 7 [step-order]
        6 |   - veth: { host: { master: br0 }, container: { name: eth0 } }
          |                             ^^^
          = at $.spec.steps[0].veth.host.master
          = hint: move that one up"
  `);
  expect(
    picturesOf('steps:\n- bridge: { name: br0 }\n- veth: { host: { master: br0 }, container: { name: eth0 } }\n- bridge: { name: br0 }'),
  ).toBe('');
});

test('a capability that is read as if it were always there is a warning', () => {
  const steps = (ports: string, more = '') => `steps:\n- portMap: { ports: "${ports}", to: [10.1.0.5/16] }${more}`;
  expect(picturesOf(steps('${runtimeConfig.portMappings}'))).toMatchInlineSnapshot(`
    "rule.yaml:6:23: warning: runtimeConfig.portMappings is not there in every call [network-capability]
        6 |   - portMap: { ports: "\${runtimeConfig.portMappings}", to: [10.1.0.5/16] }
          |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = at $.spec.steps[0].portMap.ports
          = hint: write when: has(runtimeConfig.portMappings) beside portMap, or \${runtimeConfig.?portMappings} where it may be left out"
  `);
  expect(picturesOf(steps('${runtimeConfig.portMappings}', '\n  when: has(runtimeConfig.portMappings)'))).toBe('');
  expect(picturesOf(steps('${runtimeConfig.?portMappings.orValue([])}'))).toBe('');
});

test('a capability that no rule can read is a warning', () => {
  expect(picturesOf('capabilities: [portMapping, bandwidth, gpu]')).toMatchInlineSnapshot(`
    "rule.yaml:5:18: warning: a rule can't read the capability portMapping [network-capability]
        5 |   capabilities: [portMapping, bandwidth, gpu]
          |                  ^^^^^^^^^^^
          = at $.spec.capabilities[0]
          = hint: did you mean portMappings?
    rule.yaml:5:42: warning: a rule can't read the capability gpu [network-capability]
        5 |   capabilities: [portMapping, bandwidth, gpu]
          |                                          ^^^
          = at $.spec.capabilities[2]
          = hint: known capabilities: portMappings, bandwidth, ipRanges, ips, mac, dns, aliases, deviceID, infinibandGUID, cgroupPath"
  `);
});

test('two rules have two names', () => {
  const text = `${ruleText('steps: []')}---\n${ruleText('steps: []')}`;
  expect(compileBundle(parseYaml({ name: 'a.yaml', text }).documents).diagnostics).toMatchObject([
    { code: 'network-duplicate', path: '$.metadata.name', message: 'there is another rule called net' },
  ]);
});

test.each(['My-cni', 'a/b', '-a', 'a'.repeat(64)])('%s is no name of a plugin', (name) => {
  const text = ruleText('steps: []').replace('name: net', `name: ${name}`);
  expect(compileBundle(parseYaml({ name: 'a.yaml', text }).documents).diagnostics).toMatchObject([{ path: '$.metadata.name' }]);
});

describe('a compiled rule tells', () => {
  test.each<[string, string, readonly string[]]>([
    [
      'what it reads of runtimeConfig',
      'variables: [{ name: a, expression: "runtimeConfig.?portMappings.orValue([])" }]\nsteps: [{ bridge: { name: "a${size(variables.a)}" } }]',
      ['portMappings'],
    ],
    ['that it wants the MAC address', 'steps: [{ bridge: { name: a, mac: "${request.?mac}" } }]', ['mac']],
    ['that its addresses may be asked for', 'ipam: { ranges: [{ subnet: 10.1.0.0/16 }] }', ['ipRanges', 'ips']],
    ['what it says itself', 'capabilities: [bandwidth]\nsteps: [{ bridge: { name: a, mac: "${request.?mac}" } }]', ['bandwidth']],
    ['nothing', 'steps: [{ bridge: { name: a } }]', []],
  ])('capabilities: %s', (_what, spec, expected) => {
    expect(ruleOf(spec).capabilities).toEqual(expected);
  });

  test('which fields of a configuration must be given, and defaults', () => {
    expect(ruleOf('config: { subnet: "string | required", mtu: "integer | default=1500", name2: string }').config).toEqual({
      required: ['subnet'],
      defaults: { mtu: 1500 },
      fields: ['subnet', 'mtu', 'name2'],
    });
    const openApi =
      'config: { openAPIV3Schema: { type: object, required: [subnet], properties: { subnet: { type: string }, mtu: { type: integer, default: 1500 } } } }';
    expect(ruleOf(openApi).config).toEqual({ required: ['subnet'], defaults: { mtu: 1500 }, fields: ['subnet', 'mtu'] });
  });

  test('which kinds it reads', () => {
    const spec =
      'objects:\n- { id: nodes, external: { apiVersion: v1, kind: Node, selector: {} } }\n- { id: me, external: { apiVersion: v1, kind: Node, name: "${node.name}" } }';
    expect(ruleOf(spec)).toMatchObject({ reads: [{ apiVersion: 'v1', kind: 'Node' }], needsCluster: true });
    const sometimes =
      'config: { net: string }\nobjects:\n- { id: me, when: "!has(config.net)", external: { apiVersion: v1, kind: Node, name: "${node.name}" } }';
    expect(ruleOf(sometimes)).toMatchObject({ reads: [{ apiVersion: 'v1', kind: 'Node' }], needsCluster: false });
    expect(ruleOf('steps: []')).toMatchObject({ reads: [], needsCluster: false });
  });

  test('what the host must have in any case', () => {
    const spec =
      'config: { up: boolean }\nsteps:\n- bridge: { name: "${request.ifName}" }\n- masquerade: { from: [10.1.0.0/16] }\n  when: config.up';
    expect(ruleOf(spec).requirements).toEqual([{ kind: 'link-type', name: 'bridge' }]);
  });

  test('a revision, which follows what it means', () => {
    const one = ruleOf('steps: [{ bridge: { name: a } }]').revision;
    expect(ruleOf('steps:\n- bridge:\n    name: a\n').revision).toBe(one);
    expect(ruleOf('steps: [{ bridge: { name: b } }]').revision).not.toBe(one);
  });
});
