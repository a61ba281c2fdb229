import { describe, expect, test } from 'vitest';
import { compileBundle, typesWith } from '../../bundle/compile.ts';
import { parseYaml } from '../../text/yaml.ts';
import { type RuleTestRun, runRuleTest } from './run.ts';

const RULE = `
apiVersion: fairlead.dev/v1alpha1
kind: NetworkRule
metadata: { name: net }
spec:
  config: { bridge: "string | default=cni0", mtu: integer }
  objects:
  - { id: me, external: { optional: true, apiVersion: v1, kind: Node, name: "\${node.name}" } }
  ipam: { ranges: [{ subnet: 10.1.0.0/16 }] }
  validations: [{ expression: "config.bridge != 'lo'", message: not this one }]
  status: [{ expression: "config.bridge != 'br1'", message: not yet, code: 51 }]
  node: { steps: [{ bridge: { name: "\${config.bridge}", mtu: "\${config.?mtu}" } }] }
  steps:
  - bridge: { name: "\${me.?metadata.annotations.bridge.orValue(config.bridge)}", addresses: "\${ipam.gatewayAddresses}" }
    id: br
  - veth: { host: { master: "\${steps.br.name}" }, container: { name: "\${request.ifName}", addresses: "\${ipam.addresses}" } }
  podAnnotations: { a: "\${steps.br.name}", b: "\${json.marshal([{'x': ipam.addresses[0]}])}" }
`;

function run(cases: string, bundle = RULE): RuleTestRun {
  const text = `apiVersion: fairlead.dev/v1alpha1\nkind: RuleTest\nmetadata: { name: t }\nspec:\n  cases:\n${cases}`;
  const { documents } = parseYaml({ name: 't.yaml', text });
  const rules = parseYaml({ name: 'b.yaml', text: bundle }).documents;
  return runRuleTest(documents[0]!, { types: typesWith([]), compile: () => compileBundle(rules) });
}

const problems = (rest: string, bundle?: string) => {
  const { cases, diagnostics } = run(`  - { name: one, ${rest} }`, bundle);
  return [...diagnostics.map(({ message }) => message), ...cases.flatMap((each) => each.problems)];
};
const NODE = '{ apiVersion: v1, kind: Node, metadata: { name: n1, annotations: { bridge: br7 } } }';

describe('what is as expected', () => {
  test.each([
    'invocation: { config: {} }, expect: {}',
    'invocation: { config: {} }, expect: { steps: [{ addresses: {} }, { bridge: { name: cni0, addresses: [10.1.0.1/16] }, key: br }, { veth: { host: { master: cni0 } } }] }',
    'invocation: { config: {} }, addresses: [10.1.0.9/16], expect: { result: { ips: [{ address: 10.1.0.9/16, interface: 2 }] } }',
    'invocation: { config: {} }, addresses: [{ address: 10.1.0.9/16, gateway: 10.1.0.3 }], expect: { result: { ips: [{ address: 10.1.0.9/16, gateway: 10.1.0.3, interface: 2 }] } }',
    `invocation: { config: {} }, node: n1, objects: [${NODE}], expect: { steps: [{ addresses: {} }, { bridge: { name: br7 } }, { veth: {} }] }`,
    'invocation: { config: {} }, outputs: { br: { name: other } }, expect: { steps: [{ addresses: {} }, { bridge: {} }, { veth: { host: { master: other } } }] }',
    'invocation: { config: {} }, outputs: { br: { name: other } }, expect: { podAnnotations: { a: other, b: [{ x: 10.1.0.2/16 }] } }',
    'invocation: { config: { mtu: 1400 } }, expect: { nodeSteps: [{ bridge: { name: cni0, mtu: 1400 } }] }',
    'invocation: { config: { bridge: lo } }, expect: { fault: { code: 7, msg: this one } }',
    'invocation: { env: { CNI_IFNAME: a/b }, config: {} }, expect: { fault: { code: 4 } }',
    'invocation: { env: { CNI_COMMAND: STATUS }, config: {} }, expect: {}',
    'invocation: { env: { CNI_COMMAND: STATUS }, config: { bridge: br1 } }, expect: { fault: { code: 51, msg: not yet } }',
    'invocation: { config: { cniVersion: 1.0.0, prevResult: { cniVersion: 1.0.0, interfaces: [{ name: lo }] } } }, expect: { result: { ips: [{ address: 10.1.0.2/16, gateway: 10.1.0.1, interface: 3 }] } }',
  ])('%s', (rest) => {
    expect(problems(rest)).toEqual([]);
  });
});

describe('what is not', () => {
  test.each<[string, readonly unknown[]]>([
    [
      'invocation: { config: {} }, expect: { podAnnotations: { a: cni1, b: [] } }',
      ['podAnnotations a $: expected "cni1", found "cni0"', 'podAnnotations b $: expected [], found [{"x":"10.1.0.2/16"}]'],
    ],
    ['invocation: { config: {} }, expect: { steps: [{ bridge: {} }] }', ['steps: expected bridge, found addresses, bridge, veth']],
    [
      'invocation: { config: {} }, expect: { steps: [{ addresses: {} }, { bridge: { name: cni1 } }, { veth: {} }] }',
      ['steps[1] $.bridge.name: expected "cni1", found "cni0"'],
    ],
    [
      'invocation: { config: {} }, expect: { steps: [{ addresses: {} }, { bridge: {}, key: b }, { veth: {} }] }',
      ['steps[1]: expected the key "b", found "br"'],
    ],
    [
      'invocation: { config: {} }, expect: { result: { routes: [{ dst: 0.0.0.0/0 }] } }',
      ['result $.routes: expected [{"dst":"0.0.0.0/0"}], found []'],
    ],
    ['invocation: { config: {} }, expect: { fault: { code: 7 } }', ['expected an error, found none: {"code":7}']],
    ['invocation: { config: { bridge: lo } }, expect: {}', ['expected no error, found 7: not this one']],
    [
      'invocation: { config: { bridge: lo } }, expect: { fault: { code: 2, msg: that } }',
      ['fault.code: expected 2, found 7', 'fault.msg: expected "that", found "not this one"'],
    ],
    ['invocation: { config: {} }, rule: other, expect: {}', ['no rule of the bundle is called other']],
    [
      'invocation: { config: { bridge: br-much-too-long-a-name } }, expect: {}',
      [expect.stringMatching(/^expected no error, found 101: step br \(rule net, line 14\): name: must have at most 15 characters/)],
    ],
    ['invocation: { config: {} }, expects: {}', ['unknown field "expects"', 'missing field expect']],
  ])('%s', (rest, expected) => {
    expect(problems(rest)).toEqual(expected);
  });

  test('a result that only a real host can tell', () => {
    const bundle =
      'apiVersion: fairlead.dev/v1alpha1\nkind: NetworkRule\nmetadata: { name: net }\nspec: { steps: [{ hostDevice: { device: eth7, name: "${request.ifName}" } }] }';
    const rest = 'expect: { result: { interfaces: [{ name: eth0, sandbox: /run/netns/test }] } }';
    expect(problems(`invocation: { config: {} }, ${rest}`, bundle)).toEqual([
      expect.stringMatching(/^expected no error, found 999: the outputs of step hostDevice-1 are not known \(.*\): give them in outputs$/),
      expect.stringContaining('result'),
    ]);
    const outputs = '{ hostDevice-1: { name: eth0, mac: "02:00:00:00:00:01", sandbox: /run/netns/test } }';
    expect(problems(`invocation: { config: {} }, outputs: ${outputs}, expect: {}`, bundle)).toEqual([]);
  });
});
