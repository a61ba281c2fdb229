import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../object/json.ts';
import { type Effect, EffectError, type EffectHandler, type HttpAnswer, type ProgramResult, runSteps } from '../effect.ts';
import { argumentsOf, problemsOf } from '../network/play.fixture.ts';
import type { Operation, StepContext } from '../operation.ts';
import { ownerTag } from '../owner-tag.ts';
import { DELEGATE } from './delegate.ts';
import { EXEC } from './exec.ts';
import { HTTP } from './http.ts';

/** Answers what operations ask of the world outside, in order. */
class Outside implements EffectHandler {
  readonly asked: Effect[] = [];
  memory: Json | undefined;
  readonly answers: unknown[];
  constructor(...answers: readonly unknown[]) {
    this.answers = [...answers];
  }

  async perform(effect: Effect): Promise<unknown> {
    if (effect.kind === 'remember') {
      this.memory = effect.value;
      return undefined;
    }
    this.asked.push(effect);
    const answer = this.answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  }

  run(operation: unknown, verb: 'ensure' | 'check' | 'undo', raw: JsonObject, more: Partial<StepContext> = {}): Promise<unknown> {
    const it = operation as Operation;
    const context: StepContext = {
      owner: ownerTag('test'),
      netns: '/run/netns/a',
      netnsGone: false,
      ...(this.memory !== undefined && { memory: this.memory }),
      ...more,
    };
    return runSteps((it[verb] as (a: JsonObject, c: StepContext) => never)(argumentsOf(it, raw), context), this);
  }
}

const ended = (exitCode: number, stdout = '', stderr = ''): ProgramResult => ({ exitCode, stdout, stderr });
const answered = (status: number, body: Json = null): HttpAnswer => ({ status, body });

describe('exec', () => {
  const args = { program: '/usr/bin/thing', arguments: ['--a', 'b c'], environment: { KEY: 'value' } };

  it('runs a program with its words as they are', async () => {
    const outside = new Outside(ended(0, '{"a":1}\n'));
    expect(await outside.run(EXEC, 'ensure', { ...args, stdin: 'in', inContainer: true })).toEqual({ output: { a: 1 } });
    expect(outside.asked).toEqual([{ kind: 'run', ...args, netns: '/run/netns/a', stdin: 'in' }]);
    expect(await new Outside(ended(0, 'text\n')).run(EXEC, 'ensure', args)).toEqual({ output: 'text' });
  });

  it('fails with what the program said last', async () => {
    const failing = new Outside(ended(3, '', 'first\nno such volume\n'));
    await expect(failing.run(EXEC, 'ensure', args)).rejects.toMatchObject({
      code: 'other',
      message: '/usr/bin/thing ended with 3: no such volume',
      tried: '/usr/bin/thing --a "b c"',
    });
    await expect(new Outside(ended(3)).run(EXEC, 'ensure', { ...args, exitCodes: [0, 3] })).resolves.toEqual({ output: '' });
  });

  it('is undone only where it was begun, and checked by a program of its own', async () => {
    const all = { ...args, undo: { program: 'undo' }, check: { program: 'check' } };
    const outside = new Outside(ended(1), ended(0), ended(2, '', 'gone'), ended(0));
    await outside.run(EXEC, 'undo', all);
    expect(outside.asked).toEqual([]);
    await expect(outside.run(EXEC, 'ensure', all)).rejects.toThrow('ended with 1');
    await outside.run(EXEC, 'undo', all);
    expect(await outside.run(EXEC, 'check', all)).toEqual(['check ended with 2: gone']);
    expect(await outside.run(EXEC, 'check', all)).toEqual([]);
    expect(outside.asked.map((effect) => effect.kind === 'run' && effect.program)).toEqual(['/usr/bin/thing', 'undo', 'check', 'check']);
  });

  it('does not run in a namespace that is gone', async () => {
    const outside = new Outside();
    outside.memory = { begun: true };
    await outside.run(EXEC, 'undo', { ...args, undo: { program: 'undo', inContainer: true } }, { netnsGone: true });
    expect(outside.asked).toEqual([]);
  });

  it('needs its programs, and refuses names that are none', () => {
    expect(EXEC.requires(argumentsOf(EXEC as unknown as Operation, { ...args, undo: { program: 'undo' } }) as never)).toEqual([
      { kind: 'program', name: '/usr/bin/thing' },
      { kind: 'program', name: 'undo' },
    ]);
    expect(problemsOf(EXEC as unknown as Operation, { program: 'a', environment: { 'A=B': '' } })).toEqual([
      expect.stringContaining('environment.A=B'),
    ]);
    expect(problemsOf(EXEC as unknown as Operation, { program: 'a', undo: { program: 'b', environment: { '1': '' } } })).toEqual([
      expect.stringContaining('undo.environment.1'),
    ]);
  });
});

describe('http', () => {
  const args = {
    method: 'POST',
    url: 'https://user:secret@example.com/things?token=secret',
    headers: { Authorization: 'secret' },
    body: { a: 1 },
  };

  it('sends JSON, and answers status and body', async () => {
    const outside = new Outside(answered(201, { id: 7 }));
    expect(await outside.run(HTTP, 'ensure', args)).toEqual({ status: 201, body: { id: 7 } });
    expect(outside.asked).toEqual([
      {
        kind: 'http',
        method: 'POST',
        url: args.url,
        headers: { 'Content-Type': 'application/json', Authorization: 'secret' },
        body: '{"a":1}',
      },
    ]);
    const text = new Outside(answered(200));
    await text.run(HTTP, 'ensure', { url: 'http://a/', body: 'plain' });
    expect(text.asked).toEqual([{ kind: 'http', method: 'GET', url: 'http://a/', headers: {}, body: 'plain' }]);
  });

  it('says nothing secret when it fails', async () => {
    const failure = await new Outside(answered(500)).run(HTTP, 'ensure', args).catch((error: unknown) => error as EffectError);
    expect(failure).toMatchObject({ code: 'other', message: 'answered 500', tried: 'POST https://example.com/things' });
    expect(HTTP.describe(argumentsOf(HTTP as unknown as Operation, args) as never)).toBe('POST https://example.com/things');
  });

  it('expects other statuses where it is told to', async () => {
    await expect(new Outside(answered(404)).run(HTTP, 'ensure', { url: 'http://a/', expect: [404] })).resolves.toMatchObject({
      status: 404,
    });
    await expect(new Outside(answered(200)).run(HTTP, 'ensure', { url: 'http://a/', expect: [404] })).rejects.toThrow('answered 200');
  });

  it('is undone only where it was begun; nothing left is success', async () => {
    const all = { ...args, undo: { method: 'DELETE', url: 'http://a/7' }, check: { url: 'http://a/7' } };
    const outside = new Outside(answered(201), answered(404), answered(410), answered(500), answered(404));
    await outside.run(HTTP, 'undo', all);
    expect(outside.asked).toEqual([]);
    await outside.run(HTTP, 'ensure', all);
    await outside.run(HTTP, 'undo', all);
    await outside.run(HTTP, 'undo', all);
    await expect(outside.run(HTTP, 'undo', all)).rejects.toThrow('answered 500');
    expect(await outside.run(HTTP, 'check', all)).toEqual(['answered 404']);
  });

  it.each([
    [{ url: 'ftp://a' }, 'url: expected a URL'],
    [{ url: 'http://a b' }, 'url: expected a URL'],
    [{ url: 'http://a', headers: { 'a b': '' } }, 'headers.a b'],
    [{ url: 'http://a', headers: { a: 'x\r\ny: z' } }, 'headers.a'],
    [{ url: 'http://a', undo: { url: 'file:///etc/passwd' } }, 'undo.url'],
  ])('refuses %j', (args, problem) => {
    expect(problemsOf(HTTP as unknown as Operation, args)).toEqual([expect.stringContaining(problem)]);
  });
});

describe('delegate', () => {
  const args = {
    type: 'ptp',
    config: { cniVersion: '1.0.0', name: 'net' },
    containerId: 'c',
    ifName: 'eth0',
    args: { K: 'V' },
    path: ['/opt/cni/bin'],
  };
  const request = (command: string, config: JsonObject, more: JsonObject = {}) => ({
    kind: 'custom',
    name: 'plugin',
    request: { ...args, command, config, netns: '/run/netns/a', ...more },
  });
  const result = { interfaces: [{ name: 'eth0' }], ips: [{ address: '10.1.0.5/16', interface: 0 }], routes: [], dns: {} };

  it('gives what the plugin gave, and hands it over again', async () => {
    const outside = new Outside(result, undefined, undefined);
    const outputs = (await outside.run(DELEGATE, 'ensure', args)) as JsonObject;
    expect(outputs).toEqual(result);
    await outside.run(DELEGATE, 'check', args, { outputs });
    await outside.run(DELEGATE, 'undo', args, { outputs });
    const told = { prevResult: result };
    expect(outside.asked).toEqual([request('ADD', args.config), request('CHECK', args.config, told), request('DEL', args.config, told)]);
    expect(DELEGATE.result!(argumentsOf(DELEGATE as unknown as Operation, args) as never, result)).toEqual({
      interfaces: result.interfaces,
      ips: result.ips,
      routes: [],
    });
  });

  it('leaves addresses to the interfaces of other steps', async () => {
    const outside = new Outside({ ips: [{ address: '10.1.0.5/16' }] }, undefined);
    const outputs = (await outside.run(DELEGATE, 'ensure', { ...args, ipam: true })) as JsonObject;
    expect(outputs).toEqual({ interfaces: [], ips: [{ address: '10.1.0.5/16' }], routes: [], dns: {} });
    await outside.run(DELEGATE, 'undo', { ...args, ipam: true }, { outputs });
    expect(outside.asked[1]).toMatchObject({ request: { command: 'DEL', prevResult: { ips: [{ address: '10.1.0.5/16' }] } } });
    expect(DELEGATE.result!(argumentsOf(DELEGATE as unknown as Operation, { ...args, ipam: true }) as never, outputs as never)).toEqual({});
  });

  it('is undone without a result, too', async () => {
    const outside = new Outside(undefined);
    await outside.run(DELEGATE, 'undo', args);
    expect(outside.asked).toEqual([request('DEL', args.config)]);
  });

  it('is undone where the plugin is not there and gave nothing, so that the container can go', async () => {
    const nowhere = (code: 'missing' | 'program'): Outside => new Outside(new EffectError(code, 'failed to find plugin', 'DEL of plugin'));
    await nowhere('missing').run(DELEGATE, 'undo', args);
    await expect(nowhere('missing').run(DELEGATE, 'undo', args, { outputs: { ips: [] } })).rejects.toThrow('failed to find plugin');
    await expect(nowhere('program').run(DELEGATE, 'undo', args)).rejects.toThrow('failed to find plugin');
  });

  describe('to a list', () => {
    const { type: _type, config: _config, ...rest } = args;
    const chain = {
      cniVersion: '1.0.0',
      plugins: [
        { type: 'bridge', mtu: 9 },
        { type: 'portmap', capabilities: { portMappings: true, bandwidth: false } },
      ],
    };
    const list = { ...rest, network: 'net', config: chain, capabilities: { portMappings: [{ hostPort: 80 }], bandwidth: {} } };
    const first = { type: 'bridge', mtu: 9, cniVersion: '1.0.0', name: 'net' };
    const second = {
      ...{ type: 'portmap', capabilities: { portMappings: true, bandwidth: false }, cniVersion: '1.0.0', name: 'net' },
      runtimeConfig: { portMappings: [{ hostPort: 80 }] },
    };

    it('calls one after the other, and undoes them in reverse', async () => {
      const last = { ...result, ips: [{ address: '10.1.0.6/16' }] };
      const outside = new Outside(result, last);
      const outputs = (await outside.run(DELEGATE, 'ensure', list)) as JsonObject;
      expect(outputs).toEqual(last);
      await outside.run(DELEGATE, 'undo', list, { outputs });
      expect(outside.asked).toEqual([
        request('ADD', first, { type: 'bridge' }),
        request('ADD', second, { type: 'portmap', prevResult: result }),
        request('DEL', second, { type: 'portmap', prevResult: last }),
        request('DEL', first, { type: 'bridge', prevResult: last }),
      ]);
    });

    it('undoes only those that were called', async () => {
      const outside = new Outside(new Error('no'), undefined);
      await expect(outside.run(DELEGATE, 'ensure', list)).rejects.toThrow('no');
      await outside.run(DELEGATE, 'undo', list);
      expect(outside.asked).toEqual([request('ADD', first, { type: 'bridge' }), request('DEL', first, { type: 'bridge' })]);
    });

    it('finds it by its name, and keeps what it found', async () => {
      const named = { ...rest, network: 'net', folder: '/etc/nets' };
      const outside = new Outside({ ...chain, name: 'net' }, result, result);
      const outputs = (await outside.run(DELEGATE, 'ensure', named)) as JsonObject;
      expect(outside.asked[0]).toEqual({ kind: 'custom', name: 'networkConfiguration', request: { network: 'net', folder: '/etc/nets' } });
      await outside.run(DELEGATE, 'undo', named, { outputs });
      expect(
        outside.asked.slice(1).map((effect) => effect.kind === 'custom' && [effect.request['command'], effect.request['type']]),
      ).toEqual([
        ['ADD', 'bridge'],
        ['ADD', 'portmap'],
        ['DEL', 'portmap'],
        ['DEL', 'bridge'],
      ]);
      const nothing = new Outside();
      await nothing.run(DELEGATE, 'undo', named);
      expect(nothing.asked).toEqual([]);
      await expect(new Outside(undefined).run(DELEGATE, 'ensure', named)).rejects.toThrow('there is no network "net" in /etc/nets');
    });

    it('is told of addresses that are asked for, whether its plugins know the newer words or not', async () => {
      const capabilities = { ips: ['10.1.0.5/16', 'fd00::5/64'], mac: '02:00:00:00:00:01' };
      const [before, after] = [{ type: 'a' }, { type: 'a', capabilities: { ips: true, mac: true } }];
      for (const [plugin, told, given] of [
        [before, { K: 'V', IP: '10.1.0.5/16,fd00::5/64', MAC: '02:00:00:00:00:01' }, undefined],
        [after, { K: 'V' }, capabilities],
      ] as const) {
        const outside = new Outside(result);
        await outside.run(DELEGATE, 'ensure', { ...rest, network: 'net', config: plugin, capabilities });
        expect(outside.asked).toMatchObject([{ request: { args: told } }]);
        expect((outside.asked[0] as unknown as { request: { config: JsonObject } }).request.config['runtimeConfig']).toEqual(given);
      }
    });

    it('is not called where nobody would do what is asked for', async () => {
      const outside = new Outside();
      await expect(outside.run(DELEGATE, 'ensure', { ...list, required: ['portMappings', 'bandwidth'] })).rejects.toThrow(
        'no plugin of network net (bridge, portmap) has the capability bandwidth',
      );
      await outside.run(DELEGATE, 'undo', list);
      expect(outside.asked).toEqual([]);
      const fits = new Outside(result, result);
      await fits.run(DELEGATE, 'ensure', { ...list, required: ['portMappings'] });
      expect(fits.asked).toHaveLength(2);
    });

    it.each<[string, JsonObject, readonly string[]]>([
      ['an older version', { cniVersion: '0.3.1' }, []],
      ['no version', { cniVersion: '' }, []],
      ['a list that wants no CHECK', { disableCheck: true }, []],
      ['the first version that has it', { cniVersion: '0.4.0' }, ['bridge', 'portmap']],
    ])('is checked as %s has it', async (_what, fields, expected) => {
      const outside = new Outside(...expected.map(() => undefined));
      await outside.run(DELEGATE, 'check', { ...list, config: { ...chain, ...fields } }, { outputs: result });
      expect(outside.asked.map((effect) => effect.kind === 'custom' && effect.request['type'])).toEqual(expected);
    });

    it('leads everything to other gateways, and speaks of them from then on', async () => {
      const given = { ...result, routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: '10.2.0.0/16' }] };
      const row = { dst: 'default', gateway: '10.1.0.1', dev: 'eth0' };
      const outside = new Outside(given, [row], [], undefined, undefined);
      const routed = { ...args, defaultRoutes: ['10.1.0.9'] };
      const outputs = (await outside.run(DELEGATE, 'ensure', routed)) as JsonObject;
      expect(outputs).toEqual({ ...given, routes: [{ dst: '10.2.0.0/16' }, { dst: '0.0.0.0/0', gw: '10.1.0.9' }] });
      expect(outside.asked.at(-1)).toMatchObject({
        kind: 'iproute',
        netns: '/run/netns/a',
        commands: [
          { words: ['route', 'del', '0.0.0.0/0', 'via', '10.1.0.1', 'dev', 'eth0'] },
          { words: ['route', 'add', '0.0.0.0/0', 'via', '10.1.0.9', 'dev', 'eth0'] },
        ],
      });
      const checking = new Outside(undefined, [row], []);
      expect(await checking.run(DELEGATE, 'check', routed, { outputs })).toEqual([
        'eth0 has no default route by 10.1.0.9',
        'eth0 has a default route by 10.1.0.1',
      ]);
      expect(checking.asked[0]).toMatchObject({ request: { command: 'CHECK', prevResult: outputs } });
      expect(problemsOf(DELEGATE as unknown as Operation, { ...args, defaultRoutes: ['10.1.0.0/16'] })).toEqual([
        'defaultRoutes.0: "10.1.0.0/16" is not an IP address',
      ]);
    });

    it('hands on what is known of a device, and what the plugins say of it', async () => {
      const device = { ...args, deviceInfo: { file: '/run/devinfo/cni/net-c_eth0', from: '/run/devinfo/dp/x.json' } };
      const outside = new Outside('{"type":"pci"}', undefined, undefined, result, '{"type":"pci","version":"1.1.0"}');
      const outputs = (await outside.run(DELEGATE, 'ensure', device)) as JsonObject;
      expect(outputs).toEqual({ ...result, deviceInfo: { type: 'pci', version: '1.1.0' } });
      expect(outside.asked.slice(0, 3)).toEqual([
        { kind: 'read-file', path: '/run/devinfo/dp/x.json', limit: 65_536 },
        { kind: 'make-directory', path: '/run/devinfo/cni', mode: 0o755 },
        { kind: 'write-file', path: '/run/devinfo/cni/net-c_eth0', text: '{"type":"pci"}', mode: 0o444 },
      ]);
      const undoing = new Outside(undefined, undefined);
      await undoing.run(DELEGATE, 'undo', device, { outputs });
      expect(undoing.asked).toMatchObject([
        { request: { command: 'DEL', prevResult: result } },
        { kind: 'remove-path', path: '/run/devinfo/cni/net-c_eth0' },
      ]);
      const nothing = new Outside(undefined, result, 'no JSON');
      expect(await nothing.run(DELEGATE, 'ensure', device)).toEqual(result);
    });

    it.each([{ config: {} }, { config: { plugins: [{ type: '../x' }] } }, { network: 'net' }, { folder: '/etc/nets' }])(
      'refuses %j',
      (more) => {
        expect(problemsOf(DELEGATE as unknown as Operation, { ...more })).toHaveLength(1);
      },
    );
  });

  it.each(['../ptp', '/bin/sh', ''])('refuses the plugin %j', (type) => {
    expect(() => argumentsOf(DELEGATE as unknown as Operation, { ...args, type })).toThrow('type');
  });
});
