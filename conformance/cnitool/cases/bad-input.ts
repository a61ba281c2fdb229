import { findPlugin } from '../../cni/conflist.ts';
import { podPath } from '../../cni/node.ts';
import type { PluginCalled } from '../../cni/probe.ts';
import type { Scene } from '../../cni/scene.ts';
import { type CniCase, claim, expectEqual, expectState, nodeState } from '../case.ts';

type Environment = Readonly<Record<string, string | undefined>>;

interface Input {
  readonly verb: string;
  /** Changes to an environment that is right; undefined takes a variable away. */
  readonly environment?: Environment;
  /** Changes to a configuration that is right; undefined takes a field away. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Standard input as it is, in place of a configuration. */
  readonly stdin?: string;
}

const VERBS = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'];
const VARIABLES = ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'];
const LONG = 'a'.repeat(300);

/** What every plugin has to refuse in the same way: code and message are those of the specification's own skeleton. */
const ALIKE: Readonly<Record<string, readonly Input[]>> = {
  'a variable is missing': VERBS.flatMap((verb) => VARIABLES.map((name): Input => ({ verb, environment: { [name]: undefined } }))),
  'a variable is empty': VERBS.flatMap((verb) => VARIABLES.map((name): Input => ({ verb, environment: { [name]: '' } }))),
  'several variables are missing': [
    { verb: 'ADD', environment: { CNI_CONTAINERID: undefined, CNI_NETNS: undefined } },
    { verb: 'ADD', environment: { CNI_IFNAME: undefined, CNI_PATH: undefined } },
    { verb: 'DEL', environment: { CNI_CONTAINERID: undefined, CNI_NETNS: undefined, CNI_IFNAME: undefined } },
    { verb: 'CHECK', environment: { CNI_CONTAINERID: undefined, CNI_NETNS: undefined, CNI_IFNAME: undefined, CNI_PATH: undefined } },
  ],
  'a container id': ['-a', '.a', '_a', 'a b', 'a/b', '../a', 'a:b', 'ä', LONG]
    .flatMap((id) =>
      ['ADD', 'DEL', 'CHECK'].map((verb): Input => ({ verb, environment: { CNI_CONTAINERID: id, CNI_NETNS: '/run/netns/none' } })),
    )
    .filter(({ environment }) => environment?.['CNI_CONTAINERID'] !== LONG),
  'an interface name': ['.', '..', 'a/b', 'a:b', 'a b', 'a\tb', 'a\u00a0b', 'abcdefghijklmnop'].flatMap((name) =>
    ['ADD', 'DEL', 'CHECK'].map((verb): Input => ({ verb, environment: { CNI_IFNAME: name } })),
  ),
  'a command': ['add', 'PING', 'ADD ', 'UPDATE'].map((verb): Input => ({ verb })),
  'no JSON': [
    '',
    ' ',
    '{',
    '[]',
    'null',
    '1',
    '"text"',
    '{"name":"a"',
    '{"name":"a"}}',
    '{"name":1}',
    '{"cniVersion":1,"name":"a"}',
  ].flatMap((stdin) => ['ADD', 'DEL', 'STATUS'].map((verb): Input => ({ verb, stdin }))),
  'a network name': ['', '-a', '.a', 'a b', 'a/b', '../../etc', 'ä'].flatMap((name) =>
    ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'].map((verb): Input => ({ verb, fields: { name } })),
  ),
  'no network name': ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'].map((verb): Input => ({ verb, fields: { name: undefined } })),
  'a version': ['2.0.0', '1.2.0', '0.0.1', '1.0', 'x', '1.1.0-rc1', 'v1.0.0', '01.0.0', '1.1.0.0'].flatMap((cniVersion) =>
    ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'].map((verb): Input => ({ verb, fields: { cniVersion } })),
  ),
  'a verb that the version has not': [
    ...['0.1.0', '0.2.0', '0.3.0', '0.3.1'].map((cniVersion): Input => ({ verb: 'CHECK', fields: { cniVersion } })),
    ...['0.4.0', '1.0.0'].flatMap((cniVersion) => ['GC', 'STATUS'].map((verb): Input => ({ verb, fields: { cniVersion } }))),
  ],
};

/** What a bridge has to refuse, each in its own words: a code of the specification and a message that names the field. */
const OWN: readonly { readonly what: string; readonly fields: Readonly<Record<string, unknown>>; readonly word: RegExp }[] = [
  { what: 'bridge is a number', fields: { bridge: 5 }, word: /bridge/ },
  { what: 'bridge is too long', fields: { bridge: 'abcdefghijklmnopq' }, word: /abcdefghijklmnopq|bridge|name/ },
  { what: 'bridge holds what ends a command', fields: { bridge: 'a;b' }, word: /a;b/ },
  { what: 'mtu is text', fields: { mtu: 'large' }, word: /mtu/ },
  { what: 'mtu is negative', fields: { mtu: -1 }, word: /mtu|invalid/ },
  { what: 'isGateway is text', fields: { isGateway: 'yes' }, word: /isGateway/ },
  { what: 'a subnet that is none', fields: { ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0' }]] } }, word: /10\.1\.0\.0/ },
  {
    what: 'a range that ends before it begins',
    fields: { ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24', rangeStart: '10.1.0.9', rangeEnd: '10.1.0.3' }]] } },
    word: /10\.1\.0\.(3|9)/,
  },
  {
    what: 'a range outside of its subnet',
    fields: { ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24', rangeStart: '10.9.0.9' }]] } },
    word: /10\.9\.0\.9/,
  },
  {
    what: 'a route that is none',
    fields: { ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }]], routes: [{ dst: 'everywhere' }] } },
    word: /everywhere|dst/,
  },
];

const CONTAINER = 'bad-input';
const GOOD: Readonly<Record<string, unknown>> = {
  cniVersion: '1.1.0',
  name: 'testnet',
  bridge: 'cni0',
  isGateway: true,
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }]] },
};

async function execute(scene: Scene, type: string, inputs: readonly Input[]): Promise<readonly PluginCalled[]> {
  return scene.probe.calls(
    scene.node,
    inputs.map(({ verb, environment, fields, stdin }, wave) => {
      const variables: Environment = {
        CNI_COMMAND: verb,
        CNI_CONTAINERID: CONTAINER,
        CNI_NETNS: podPath('pod1'),
        CNI_IFNAME: 'eth0',
        CNI_PATH: scene.plugins.path.join(':'),
        PATH: process.env['PATH'],
        ...environment,
      };
      return {
        path: findPlugin(scene.plugins.path, type),
        env: Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
        stdin: stdin ?? JSON.stringify({ type, ...GOOD, ...fields }),
        wave,
      };
    }),
  );
}

/** What a plugin said, as a runtime reads it. */
function said({ exitCode, stdout }: PluginCalled): string {
  if (stdout.trim() === '') return `exit code ${exitCode}, nothing on standard output`;
  try {
    const { code, msg, details } = JSON.parse(stdout) as { readonly code?: number; readonly msg?: string; readonly details?: string };
    if (code !== undefined)
      return `exit code ${exitCode}, code ${code}: ${msg}${details === undefined || details === '' ? '' : ` (${details})`}`;
  } catch {
    return `exit code ${exitCode}, no JSON: ${stdout}`;
  }
  return `exit code ${exitCode}, ${JSON.stringify(JSON.parse(stdout))}`;
}

export const badInputCases: readonly CniCase[] = [
  ...Object.entries(ALIKE).map(
    ([what, inputs]): CniCase => ({
      name: `bad input: ${what}`,
      async play(scene) {
        await scene.node.addPod('pod1');
        const expected = await execute(scene, 'bridge', inputs);
        const found = await execute(scene, scene.plugins.type('bridge'), inputs);
        const differences = inputs.flatMap((input, index) => {
          const [left, right] = [said(expected[index]!), said(found[index]!)];
          return left === right ? [] : [`${JSON.stringify(input)}\n  expected: ${left}\n  found:    ${right}`];
        });
        if (differences.length > 0) throw new Error(differences.join('\n'));
      },
    }),
  ),
  {
    name: 'bad input: fields of the configuration',
    notOfficial: 'the official bridge takes some of them',
    async play(scene) {
      // The bridge and forwarding stay once somebody has used them.
      await scene.node.addPod('pod1');
      const warmUp: readonly Input[] = [{ verb: 'ADD' }, { verb: 'DEL' }];
      for (const called of await execute(scene, scene.plugins.type('bridge'), warmUp)) expectEqual(said(called), called.exitCode, 0);
      const before = await nodeState(scene, ['pod1']);
      const found = await execute(
        scene,
        scene.plugins.type('bridge'),
        OWN.map(({ fields }) => ({ verb: 'ADD', fields })),
      );
      const wrong = OWN.flatMap(({ what, word }, index) => {
        const text = said(found[index]!);
        return /^exit code 1, code (2|4|7|11|[1-9]\d\d): /.test(text) && word.test(text) ? [] : [`${what}: ${text}`];
      });
      expectEqual('answers that are not refusals with a code and the name of what is wrong', wrong, []);
      await expectState('after the refusals', before, () => nodeState(scene, ['pod1']));
    },
  },
  {
    name: 'bad input: what no step could use is refused before anything is done',
    notOfficial: 'the official bridge takes it',
    async play(scene) {
      await scene.node.addPod('pod1');
      const before = await nodeState(scene, ['pod1']);
      const many = Object.fromEntries(Array.from({ length: 200_000 }, (_, index) => [`k${index}`, 1]));
      const inputs: readonly Input[] = [
        ...['a;b', '$(id)', '-a', 'a|b', 'ä'].map((name): Input => ({ verb: 'ADD', environment: { CNI_IFNAME: name } })),
        { verb: 'ADD', fields: many },
        { verb: 'ADD', fields: { runtimeConfig: many } },
      ];
      const codes = (await execute(scene, scene.plugins.type('bridge'), inputs)).map((called) => /code \d+:/.exec(said(called))?.[0]);
      expectEqual('codes', codes, [...Array(5).fill('code 4:'), ...Array(2).fill('code 6:')]);
      await expectState('after the refusals', before, () => nodeState(scene, ['pod1']));
    },
  },
  {
    name: 'bad input: an ipam plugin that does not exist',
    async play(scene) {
      await scene.node.addPod('pod1');
      const fields = { ipam: { type: 'no-such-plugin' } };
      const [add] = await execute(scene, scene.plugins.type('bridge'), [{ verb: 'ADD', fields }]);
      claim(/^exit code 1, code \d+: .*failed to find plugin "no-such-plugin" in path/.test(said(add!)), said(add!));
    },
  },
  {
    name: 'bad input: prevResult',
    async play(scene) {
      await scene.node.addPod('pod1');
      const inputs: readonly Input[] = [
        { result: 1 },
        [],
        'text',
        { cniVersion: '9.9.9' },
        { cniVersion: '1.1.0', ips: [{ address: 'nowhere' }] },
      ].map((prevResult) => ({ verb: 'CHECK', fields: { prevResult } }));
      for (const called of await execute(scene, scene.plugins.type('bridge'), inputs)) {
        expectEqual(`exit code of CHECK, with ${said(called)}`, called.exitCode, 1);
      }
    },
  },
  {
    name: 'bad input: the own namespace as that of the container',
    notOfficial: 'the official bridge does its work there before it is refused',
    async play(scene) {
      const before = await nodeState(scene);
      const [called] = await execute(scene, scene.plugins.type('bridge'), [{ verb: 'ADD', environment: { CNI_NETNS: '/proc/1/ns/net' } }]);
      expectEqual('answer', said(called!), "exit code 1, code 8: plugin's netns and netns from CNI_NETNS should not be the same");
      await expectState('after the refusal', before, () => nodeState(scene));
    },
  },
  {
    name: 'bad input: nothing but the result is on standard output',
    async play(scene) {
      await scene.node.addPod('pod1');
      const type = scene.plugins.type('bridge');
      const verbs: readonly Input[] = ['VERSION', 'STATUS', 'ADD'].map((verb) => ({ verb }));
      const [version, status, add] = await execute(scene, type, verbs);
      const supported = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];
      expectEqual('VERSION', JSON.parse(version?.stdout ?? ''), { cniVersion: '1.1.0', supportedVersions: supported });
      expectEqual('STATUS', status?.stdout, '');
      const prevResult = JSON.parse(add?.stdout ?? '') as unknown;
      const rest: readonly Input[] = ['CHECK', 'DEL', 'DEL', 'GC'].map((verb) => ({
        verb,
        fields: { prevResult, 'cni.dev/valid-attachments': [] },
      }));
      const later = await execute(scene, type, rest);
      expectEqual('CHECK, DEL, DEL, GC', later.map(said), Array(4).fill('exit code 0, nothing on standard output'));
    },
  },
];
