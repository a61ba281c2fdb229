import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../engine/object/json.ts';
import type { NetworkRequest, PluginRequest } from '../../../engine/rules/network/program.ts';
import { CniError } from '../../../engine/rules/network/protocol/fault.ts';
import { EffectError } from '../../../engine/step/effect.ts';
import { type FakeRule, fakeRule } from '../fake-performer.fixture.ts';
import { allocatedIn, faultOf, SILENT, STATUS, setUp, temporaryFolder, validAttachments } from '../plugin.fixture.ts';

describe('networks of other plugins', () => {
  const list = (name: string, fields: JsonObject = {}): JsonObject => ({
    name,
    cniVersion: '1.1.0',
    plugins: [{ type: 'main', capabilities: { mac: true } }, { type: 'meta' }],
    ...fields,
  });
  /** A rule that leaves its attachments to a network. */
  const leaving = (config: (request: NetworkRequest) => JsonObject): FakeRule => ({
    steps: [],
    delegates: true,
    addresses: (request) => ({
      operation: 'delegate',
      arguments: {
        config: config(request),
        capabilities: { mac: 'x' },
        merge: { deviceID: 'y' },
        containerId: request.containerId,
        ifName: request.ifName,
        args: {},
        path: [],
      },
    }),
  });
  const onlyNodes = (requests: readonly PluginRequest[]) => requests.filter(({ command }) => command === 'GC' || command === 'STATUS');

  it('collect garbage, each told what is left of its own', async () => {
    const { invoke, requests } = setUp(leaving(({ containerId }) => list(containerId === 'a' ? 'one' : 'two')));
    for (const id of ['a', 'b', 'c']) await invoke({ command: 'ADD', id });
    expect(await invoke({ command: 'GC', config: validAttachments('a', 'b') })).toEqual(SILENT);
    const told = (...ids: readonly string[]) => {
      const attachments = ids.map((containerID) => ({ containerID, ifname: 'eth0' }));
      return { 'cni.dev/valid-attachments': attachments, 'cni.dev/attachments': attachments };
    };
    const main = { type: 'main', capabilities: { mac: true }, cniVersion: '1.1.0' };
    const request = { command: 'GC', containerId: '', netns: '', ifName: '', args: {}, path: ['/opt/cni/bin'] };
    // That of the configuration is `two`, as no container is meant.
    expect(onlyNodes(requests)).toEqual([
      { ...request, type: 'main', config: { ...main, name: 'two', ...told('b') } },
      { ...request, type: 'meta', config: { type: 'meta', cniVersion: '1.1.0', name: 'two', ...told('b') } },
      { ...request, type: 'main', config: { ...main, name: 'one', ...told('a') } },
      { ...request, type: 'meta', config: { type: 'meta', cniVersion: '1.1.0', name: 'one', ...told('a') } },
    ]);
  });

  it('are told of attachments that other networks have of them, and of those that the runtime knows by their name', async () => {
    const { invoke, requests } = setUp(leaving(() => list('net')));
    await invoke({ command: 'ADD', id: 'a', config: { name: 'elsewhere' } });
    await invoke({ command: 'GC', config: validAttachments('lost') });
    expect(onlyNodes(requests)[0]!.config['cni.dev/valid-attachments']).toEqual([
      { containerID: 'a', ifname: 'eth0' },
      { containerID: 'lost', ifname: 'eth0' },
    ]);
  });

  it.each([
    ['of an older version', { cniVersion: '1.0.0' }, []],
    ['of no version', { cniVersion: '' }, []],
    ['of a newer version', { cniVersion: '2.0.0' }, ['main', 'meta']],
    ['that want no GC', { disableGC: true }, []],
  ])('%s', async (_which, fields, expected) => {
    const { invoke, requests } = setUp(leaving(() => list('one', fields)));
    expect(await invoke({ command: 'GC' })).toEqual(SILENT);
    expect(onlyNodes(requests).map(({ type }) => type)).toEqual(expected);
  });

  it('tell what they could not collect, after all were asked', async () => {
    const { invoke, answers, plugins } = setUp(leaving(() => list('one')));
    answers.set('main GC', () => {
      throw new CniError({ code: 100, msg: 'no' }, 'GC');
    });
    expect(faultOf(await invoke({ command: 'GC' }))).toBe('105: not all garbage of network net could be removed: main: no');
    expect(plugins).toEqual(['main GC', 'meta GC']);
  });

  it('say whether they are ready', async () => {
    const { invoke, answers, requests } = setUp(leaving(() => list('one')));
    expect(await invoke(STATUS)).toEqual(SILENT);
    expect(requests.map(({ type, config }) => [type, config['name'], config['runtimeConfig'], config['deviceID']])).toEqual([
      ['main', 'one', undefined, undefined],
      ['meta', 'one', undefined, undefined],
    ]);
    answers.set('meta STATUS', () => {
      throw new CniError({ code: 51, msg: 'no peers' }, 'STATUS');
    });
    expect(faultOf(await invoke(STATUS))).toBe('51: no peers');
    answers.set('main STATUS', () => {
      throw new EffectError('missing', 'failed to find plugin "main"', 'STATUS');
    });
    expect(faultOf(await invoke(STATUS))).toMatch(/^50: failed to find plugin "main"/);
  });

  it('are not ready where they are not to be found', async () => {
    const folder = temporaryFolder();
    const { invoke } = setUp({
      steps: [],
      delegates: true,
      addresses: () => ({ operation: 'delegate', arguments: { network: 'pods', folder, args: {}, path: [] } }),
    });
    expect(faultOf(await invoke(STATUS))).toBe(`50: there is no network pods in ${folder}`);
    writeFileSync(join(folder, '10-pods.conflist'), JSON.stringify(list('pods')));
    expect(await invoke(STATUS)).toEqual(SILENT);
  });

  it('may have the name of the network that they are a part of', async () => {
    const outer = fakeRule({ name: 'outer', ...leaving(() => ({ name: 'net', cniVersion: '1.1.0', type: 'my-cni' })) });
    const inner = fakeRule({ addresses: allocatedIn(temporaryFolder()) });
    const { invoke, answers, performer } = setUp({ rules: [outer, inner] });
    // As the executable of the other rule does it.
    answers.set('my-cni GC', () => invoke({ command: 'GC', config: validAttachments() }));
    await invoke({ command: 'ADD', type: 'outer' });
    await invoke({ command: 'ADD' });
    expect(await invoke({ command: 'GC', type: 'outer', config: validAttachments() })).toEqual(SILENT);
    expect(performer.kept.size).toBe(0);
  });
});
