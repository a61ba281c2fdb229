import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { invoke } from '../cni/invoke.ts';
import { commandRunner, folderOf } from './run.fixture.ts';

const RULE = `apiVersion: fairlead.dev/v1alpha1
kind: NetworkRule
metadata: { name: test-net }
spec:
  config:
    subnet: string | required
    mtu: integer | default=1500 maximum=9000
  ipam:
    ranges: [[{ subnet: "\${config.subnet}" }]]
  steps:
  - veth: { container: { name: "\${request.ifName}", mtu: "\${config.mtu}", addresses: "\${ipam.addresses}" } }
`;
const ADMISSION = `apiVersion: fairlead.dev/v1alpha1
kind: AdmissionRule
metadata: { name: no-latest }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE] }] }
  validations: [{ expression: "true" }]
`;

let folder: string;
beforeEach(() => {
  folder = folderOf({
    'rule.yaml': RULE,
    'two.yaml': `${RULE}---\n${RULE.replace('test-net', 'other-net')}`,
    'broken.yaml': RULE.replace('config.mtu', 'config.mtv'),
    'admission.yaml': ADMISSION,
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const run = commandRunner(() => folder);
const PLACES = '--bin-dir bin --conf-dir net.d --state state --socket cni.sock';
const install = (rest: string, rules = 'rule.yaml') => run(`cni install ${rules} ${PLACES} --executable node ${rest}`.trimEnd());
const conflist = (name = '10-pods.conflist') => JSON.parse(readFileSync(join(folder, 'net.d', name), 'utf8'));

describe('cni', () => {
  it('is a group of commands, with a help of its own', async () => {
    const help = await run('cni --help');
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toContain('  cni serve ');
    expect(help.out).not.toContain('  check ');
    expect((await run('help cni')).out).toBe(help.out);
    expect(await run('cni')).toEqual({ code: 2, out: '', err: help.out });
  });

  it.each([
    ['cni serv', /unknown command "cni serv"\n {2}did you mean cni serve\?/],
    ['cni --socket x', /unknown command "cni --socket"/],
    ['cni install', /<path> is missing/],
  ])('%s is a mistake', async (line, message) => {
    const { code, err } = await run(line);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(message) });
  });
});

describe.skipIf(process.platform !== 'linux')('cni install', () => {
  it('installs an executable for each rule, and no network that nobody asked for', async () => {
    const { code, out } = await install('', 'two.yaml');
    const path = (name: string) => join(folder, 'bin', name);
    expect({ code, out }).toEqual({
      code: 0,
      out: `${path('test-net')}\n${path('other-net')}\nexecutables in node, which ask ${join(folder, 'cni.sock')}\n`,
    });
    expect(readFileSync(path('test-net'), 'utf8')).toContain(`'fairlead-slot:spool_path=${join(folder, 'state/spool')}'`);
    expect(existsSync(join(folder, 'net.d'))).toBe(false);
    expect((await install('', 'two.yaml')).out).toBe('everything is in place already\n');
  });

  it('makes a network of its options', async () => {
    const { code } = await install('--network pods --config subnet=10.1.0.0/16 --config mtu=1400');
    expect(code).toBe(0);
    expect(conflist()).toMatchObject({
      cniVersion: '1.0.0',
      cniVersions: ['1.0.0', '1.1.0'],
      name: 'pods',
      plugins: [{ type: 'test-net', subnet: '10.1.0.0/16', mtu: 1400, capabilities: { ips: true } }],
    });
  });

  it('takes a version, a rule and a file name', async () => {
    const { code } = await install(
      '--network pods --rule other-net --cni-version 0.4.0 --conf-name 05-first.conflist --config subnet=10.1.0.0/16',
      'two.yaml',
    );
    expect(code).toBe(0);
    const { cniVersion, cniVersions, plugins } = conflist('05-first.conflist');
    expect({ cniVersion, cniVersions, type: plugins[0].type }).toEqual({ cniVersion: '0.4.0', cniVersions: undefined, type: 'other-net' });
  });

  it('installs a network of a file, with plugins of others', async () => {
    const plugins = [
      { type: 'test-net', subnet: '10.1.0.0/16' },
      { type: 'portmap', capabilities: { portMappings: true } },
    ];
    writeFileSync(join(folder, 'own.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: 'own', plugins, disableCheck: true }));
    const { code, err } = await install('--conflist own.conflist');
    expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining('capabilities does not say so') });
    expect(err).toContain('note: plugins[1]: there is no plugin portmap in ');
    expect(conflist('10-own.conflist')).toMatchObject({ name: 'own', plugins, disableCheck: true });
  });

  it('tells of fields that the rule does not have', async () => {
    const { code, err } = await install('--network pods --config subnet=10.1.0.0/16 --config mut=1400');
    expect({ code, err }).toEqual({ code: 0, err: 'note: plugins[0] (test-net): the rule has no field "mut"; did you mean mtu?\n' });
  });

  it.each([
    ['--network pods', 1, /plugins\[0\] \(test-net\): .*subnet/],
    ['--network pods --config subnet=10.1.0.0/16 --config mtu=99999', 1, /plugins\[0\] \(test-net\): .*mtu/],
    ['--network pods --config subnet=10.1.0.5/16', 1, /plugins\[0\] \(test-net\): invalid range set 0: Network has host bits set/],
    ['--network po/ds --config subnet=10.1.0.0/16 --conf-name 10-x.conflist', 1, /"po\/ds" is no name of a network/],
    ['--network pods --config subnet=10.1.0.0/16 --conf-name ../x.conflist', 2, /--conf-name must be/],
    ['--network pods --config subnet', 2, /<key>=<value>/],
    ['--network pods --config type=x', 2, /can't set type/],
    ['--network pods --config subnet=1 --config subnet=2', 2, /given twice/],
    ['--network pods --cni-version 9.9.9', 2, /must be one of 0\.1\.0/],
    ['--network pods --rule nothing', 2, /no network rule "nothing": test-net/],
    ['--config subnet=1', 2, /is for a network/],
    ['--conflist missing.conflist', 2, /missing\.conflist/],
    ['--conflist rule.yaml', 2, /is not JSON/],
    ['--conflist x --network pods', 2, /says everything/],
    ['--host-root host', 2, /must be absolute with --host-root/],
  ])('refuses %s, and writes nothing', async (rest, code, message) => {
    const ran = await install(rest);
    expect({ code: ran.code, err: ran.err }).toEqual({ code, err: expect.stringMatching(message) });
    expect(existsSync(join(folder, 'bin'))).toBe(false);
    expect(existsSync(join(folder, 'net.d'))).toBe(false);
  });

  it.each([
    ['two.yaml', 2, /several rules: test-net, other-net/],
    ['broken.yaml', 1, /mtv/],
    ['admission.yaml', 2, /no network rules/],
    ['nowhere', 2, /nowhere/],
  ])('refuses a network of the rules in %s', async (rules, code, message) => {
    const ran = await install('--network pods --config subnet=10.1.0.0/16', rules);
    expect({ code: ran.code, err: ran.err }).toEqual({ code, err: expect.stringMatching(message) });
  });

  it('is undone by cni uninstall', async () => {
    await install('--network pods --config subnet=10.1.0.0/16');
    const places = `--bin-dir ${join(folder, 'bin')} --conf-dir ${join(folder, 'net.d')}`;
    const { code, out } = await run(`cni uninstall ${places}`);
    expect({ code, out }).toEqual({ code: 0, out: `${join(folder, 'net.d/10-pods.conflist')}\n${join(folder, 'bin/test-net')}\n` });
    expect((await run(`cni uninstall ${places}`)).out).toBe('nothing is installed\n');
  });
});

describe.skipIf(process.platform !== 'linux')('cni serve', () => {
  /** Serves until what `work` does is done; the daemon's own output comes back. */
  const serving = async (rest: string, work: (printed: string) => Promise<void>, rules = 'rule.yaml') => {
    let stop = (): void => {};
    const stopped = new Promise<string>((resolve) => {
      stop = () => resolve('SIGTERM');
    });
    let begun = (_: string): void => {};
    const begins = new Promise<string>((resolve) => {
      begun = resolve;
    });
    const ran = run(`cni serve ${rules} --state state --socket run/cni.sock --log text ${rest}`.trimEnd(), {
      stopped,
      onOut: (text) => begun(text),
    });
    const printed = await Promise.race([begins, ran.then(({ out }) => out)]);
    try {
      await work(printed);
    } finally {
      stop();
    }
    return ran;
  };

  it('answers what the executables ask, tells of itself, and ends with a signal', async () => {
    const asked: unknown[] = [];
    const { code, out, err } = await serving('--node-name n1 --health-port 0', async (printed) => {
      const health = /http:\S+/.exec(printed)![0];
      const answers = await Promise.all(['healthz', 'readyz'].map(async (each) => (await fetch(`${health}/${each}`)).status));
      // It may still be looking for what an earlier one left half done.
      asked.push(answers[0], [200, 503].includes(answers[1]!));
      const environment = new Map([
        ['CNI_COMMAND', 'ADD'],
        ['TYPE', 'test-net'],
      ]);
      asked.push(JSON.parse((await invoke(join(folder, 'run/cni.sock'), { environment, stdin: '{}' }, 10_000)).stdout));
      const status = await run('cni status --socket run/cni.sock -o json');
      asked.push(JSON.parse(status.out).node);
      asked.push((await run('cni status --socket run/cni.sock')).out.split('\n').slice(0, 2));
      asked.push(await run('cni gc --socket run/cni.sock'), await run('cni gc --all --forget --socket run/cni.sock'));
    });
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^serving networks on run\/cni\.sock: test-net; health http:\/\/127\.0\.0\.1:\d+\n$/),
    });
    expect(asked).toEqual([
      200,
      true,
      expect.objectContaining({ code: 4 }),
      'n1',
      ['daemon development on n1: ready', 'bundle rule'],
      { code: 0, out: 'nothing was left\n', err: '' },
      { code: 0, out: 'nothing was left\n', err: '' },
    ]);
    expect(err).toContain('stopping signal="SIGTERM"');
    expect(existsSync(join(folder, 'run/cni.sock'))).toBe(false);
  });

  it('is not taken away under a daemon that runs', async () => {
    let asked: unknown;
    await serving('', async () => {
      asked = await run('cni uninstall --purge --socket run/cni.sock --state state --bin-dir bin --conf-dir net.d');
    });
    expect(asked).toMatchObject({ code: 2, err: expect.stringContaining('the daemon runs') });
  });

  it.each([
    ['broken.yaml', '', 1, /do not compile/],
    ['admission.yaml', '', 2, /no network rules/],
    ['rule.yaml', '--kubeconfig nowhere', 2, /nowhere/],
    ['rule.yaml', '--health-port x', 2, /must be a port/],
    ['rule.yaml', '--grace x', 2, /must be seconds/],
  ])('does not begin with %s %s', async (rules, rest, code, message) => {
    const ran = await serving(rest, () => Promise.resolve(), rules);
    expect({ code: ran.code, err: ran.err }).toEqual({ code, err: expect.stringMatching(message) });
    expect(existsSync(join(folder, 'run/cni.sock'))).toBe(false);
  });

  it.each(['status', 'gc'])('is what cni %s asks for', async (command) => {
    const { code, err } = await run(`cni ${command} --socket run/cni.sock`);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('no daemon answers: ') });
  });
});
