import { printFault } from '../../engine/rules/network/protocol/fault.ts';
import { readInvocation } from '../../engine/rules/network/protocol/invocation.ts';
import { VERSION_ANSWER } from '../../engine/rules/network/protocol/version.ts';
import { runGroup } from '../../runtimes/linux/program-group.ts';
import type { CaseResult, Suite } from '../suite.ts';
import { cniPlugins } from '../tools/cni.ts';
import { ensureGoTool } from '../tools/go-tool.ts';
import { arm64Case } from './arm64.ts';

/** A plugin that does nothing of its own before all that every plugin judges has been judged. */
const PLUGIN = 'static';

export const suite: Suite = {
  name: 'cni-invocation',
  description: 'what is wrong with an invocation, by code and word, against an official plugin: environment, configuration, versions',
  async *run(context) {
    const folder = await ensureGoTool(cniPlugins, [PLUGIN], { log: context.log, signal: context.signal });
    for (const [name, invocations] of Object.entries(groups())) {
      if (context.signal.aborted) return;
      if (context.wanted(name)) yield await judge(name, invocations, `${folder}/${PLUGIN}`, context.signal);
    }
    yield* arm64Case(context);
  },
};

interface Called {
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string;
}

const BASE = { CNI_CONTAINERID: 'c1', CNI_NETNS: '/nowhere', CNI_IFNAME: 'eth0', CNI_PATH: '/opt/cni/bin' };
const COMMANDS = ['ADD', 'CHECK', 'DEL', 'GC', 'STATUS', 'VERSION', 'FOO', 'add', ''];
const VERSIONS = [
  ...['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0', '', '0.5.0', '1.2.0', '2.0.0', '1.1', '1', '1.0.5', '0.3.9', '01.1.0'],
  ...[
    'x',
    '1.',
    '1.x',
    '1.1.',
    '.1',
    '1.1.1.1',
    '+1.+1.0',
    '-1.0.0',
    '1_0.0.0',
    ' 1.1.0',
    '99999999999999999999.0.0',
    'v1.0.0',
    '<1>',
    'ä',
  ],
];
const CONTAINER_IDS = ['', 'a', 'A-z_.9', '-a', '.a', '_a', 'a b', 'a/b', '../x', 'ä', 'a\n', 'a%', 'a"<', 'a\\'];
const INTERFACE_NAMES = [
  ...['', 'e', '123456789012345', '1234567890123456', '.', '..', '...', 'a/b', 'a:b', 'a b', 'a\tb', 'a\nb', 'a\u0085', 'a\u00a0'],
  ...['a\u2003', 'a\u200b', 'a\ufeff', 'äöüäöüä', 'äöüäöüäö', 'a%b', '日本語日本', '日本語日本語'],
];
const CONFIGS = [
  ...[
    '',
    ' ',
    '{',
    '{}',
    'null',
    '[]',
    '[1]',
    '1',
    '-1',
    '"x"',
    'true',
    'nul',
    '{"name"}',
    '{"name":}',
    '{"name":"a",}',
    "{'name':'a'}",
    '{{{',
  ],
  ...['{"name":null}', '{"name":""}', '{"name":1}', '{"name":1.5}', '{"name":true}', '{"name":{}}', '{"name":[]}', '{"name":["a"]}'],
  ...['{"name":"a b"}', '{"name":"../a"}', '{"name":"-a"}', '{"name":"ä"}', '{"name":"a\\n"}', '{"name":"a\\u0000"}', '{"name":"<&>"}'],
  ...[
    '{"NAME":"net"}',
    '{"Name":"a b","name":"net"}',
    '{"name":"net","Name":"a b"}',
    '{"name":"net"} x',
    '{"name":"net"}{}',
    '\ufeff{"name":"net"}',
  ],
  ...[
    '{"name":"net","cniVersion":1}',
    '{"name":"net","cniVersion":null}',
    '{"name":"net","cniVersion":{}}',
    '{"name":"net","CNIVERSION":"9.9.9"}',
  ],
  ...['{"name":"net","x":"\\q"}', '{"name":"net","x":01}', '{"name":"net","x":1.}', '{"name":"net","x":1e}', '{"name":"net","x":"\t"}'],
  `{"name":"net","x":${'['.repeat(10_001)}`,
];

const config = (version: string): string => JSON.stringify({ cniVersion: version, name: 'net', ipam: { type: 'static' } });

function groups(): Readonly<Record<string, readonly Called[]>> {
  const groups: Record<string, Called[]> = {};
  for (const command of COMMANDS) {
    const name = command === '' ? 'no command' : command;
    const base = { CNI_COMMAND: command, ...BASE };
    const stdin = config('1.1.0');
    groups[`${name}: what is missing`] = subsets(Object.keys(BASE)).map((missing) => ({
      environment: { ...base, ...Object.fromEntries(missing.map((each) => [each, ''])) },
      stdin,
    }));
    groups[`${name}: container ids`] = CONTAINER_IDS.map((id) => ({ environment: { ...base, CNI_CONTAINERID: id }, stdin }));
    groups[`${name}: interface names`] = INTERFACE_NAMES.map((ifName) => ({ environment: { ...base, CNI_IFNAME: ifName }, stdin }));
    groups[`${name}: two that are wrong`] = CONTAINER_IDS.flatMap((id) =>
      ['a/b', ''].map((ifName) => ({ environment: { ...base, CNI_CONTAINERID: id, CNI_IFNAME: ifName }, stdin: '{' })),
    );
    groups[`${name}: configurations`] = CONFIGS.map((text) => ({ environment: base, stdin: text }));
    groups[`${name}: versions`] = VERSIONS.map((version) => ({ environment: base, stdin: config(version) }));
  }
  return groups;
}

function subsets(names: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: 2 ** names.length }, (_, bits) => names.filter((_name, index) => (bits >> index) & 1));
}

async function judge(name: string, invocations: readonly Called[], path: string, signal: AbortSignal): Promise<CaseResult> {
  const differences: string[] = [];
  for (const called of invocations) {
    const expected = await officialAnswer(called, path, signal);
    const found = ourAnswer(called);
    const isSame = found === ACCEPTED ? !isOfEveryPlugin(expected) : found === expected;
    if (!isSame) differences.push(`${JSON.stringify(called).slice(0, 300)}\nexpected: ${expected}\nfound:    ${found}`);
  }
  return differences.length === 0
    ? { name, outcome: 'passed' }
    : { name, outcome: 'failed', reason: `${differences.length} of ${invocations.length} differ\n${differences.slice(0, 5).join('\n')}` };
}

/** Nothing that every plugin looks at is wrong. */
const ACCEPTED = 'accepted';

function ourAnswer({ environment, stdin }: Called): string {
  const invocation = readInvocation(new Map(Object.entries(environment)), stdin);
  switch (invocation.kind) {
    case 'fault':
      // Of what every plugin lets through, ours refuses some names before it begins.
      if (invocation.fault.msg.startsWith('CNI_IFNAME: ')) return ACCEPTED;
      return `1 ${printFault(invocation.fault)}`;
    case 'version':
      return `0 ${VERSION_ANSWER}`;
    case 'about':
      return '0 about';
    case 'request':
      return ACCEPTED;
  }
}

async function officialAnswer({ environment, stdin }: Called, path: string, signal: AbortSignal): Promise<string> {
  const { exitCode, stdout, stderr } = await runGroup({ path, environment, stdin, signal, maxOutput: 1e6, maxErrors: 1e6 });
  const isAbout = exitCode === 0 && stdout === '' && /^CNI static plugin .*\nCNI protocol versions supported: .*\n$/.test(stderr);
  return `${exitCode} ${isAbout ? 'about' : stdout}`;
}

/** Whether a refusal comes from what all plugins share, rather than from what this one does. */
function isOfEveryPlugin(answer: string): boolean {
  if (!answer.startsWith('1 ')) return false;
  const { code } = JSON.parse(answer.slice(2)) as { readonly code: number };
  return [1, 4, 5, 6, 7].includes(code);
}
