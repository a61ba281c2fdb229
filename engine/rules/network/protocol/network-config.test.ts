import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../object/json.ts';
import { formatCniArgs, readCniArgs } from './cni-args.ts';
import { CniError, faultOf, readFault } from './fault.ts';
import { readNetworkList, readValidAttachments, requestConfig } from './network-config.ts';

describe('attachments that are still valid', () => {
  const a = { containerID: 'a', ifname: 'eth0' };
  const b = { containerID: 'b', ifname: 'net1' };
  const read = (config: JsonObject): string => {
    const result = readValidAttachments(config);
    return result.ok ? result.attachments.map(({ containerId, ifName }) => `${containerId}/${ifName}`).join(' ') : result.message;
  };
  it.each<[JsonObject, string]>([
    [{}, ''],
    [{ 'cni.dev/valid-attachments': null }, ''],
    [{ 'cni.dev/valid-attachments': [] }, ''],
    [{ 'cni.dev/valid-attachments': [a, b] }, 'a/eth0 b/net1'],
    [{ 'cni.dev/attachments': [a] }, 'a/eth0'],
    [{ 'cni.dev/attachments': [a], 'cni.dev/valid-attachments': [b] }, 'b/net1 a/eth0'],
    [{ 'cni.dev/valid-attachments': {} }, 'cni.dev/valid-attachments is not a list'],
    [{ 'cni.dev/attachments': 'a' }, 'cni.dev/attachments is not a list'],
    [{ 'cni.dev/valid-attachments': [a, null] }, 'cni.dev/valid-attachments[1] has no containerID or no ifname'],
    [{ 'cni.dev/valid-attachments': [{ containerID: 1, ifname: 'x' }] }, 'cni.dev/valid-attachments[0] has no containerID or no ifname'],
  ])('%j', (config, expected) => {
    expect(read(config)).toBe(expected);
  });
});

describe('network lists', () => {
  it('are read, also from a single plugin', () => {
    const plugin = { type: 'my-cni', x: 1 };
    expect(readNetworkList({ cniVersion: '1.0.0', name: 'net', disableGC: true, disableCheck: 'true', plugins: [plugin] })).toEqual({
      ok: true,
      list: { name: 'net', cniVersion: '1.0.0', disableCheck: true, disableGC: true, plugins: [plugin] },
    });
    const single = { name: 'net', type: 'my-cni' };
    expect(readNetworkList(single)).toMatchObject({ ok: true, list: { cniVersion: '', disableGC: false, plugins: [single] } });
  });

  it.each<[Json, string]>([
    [[], 'a network configuration is an object'],
    [{}, 'the network configuration has no name'],
    [{ name: 1 }, 'the network configuration has no name'],
    [{ name: 'net', plugins: [] }, 'plugins is a list of at least one plugin'],
    [{ name: 'net', plugins: {} }, 'plugins is a list of at least one plugin'],
    [{ name: 'net' }, 'plugins[0] has no type'],
    [{ name: 'net', plugins: [{ type: 'a' }, {}] }, 'plugins[1] has no type'],
  ])('%j', (document, message) => {
    expect(readNetworkList(document)).toEqual({ ok: false, message });
  });

  it('give each plugin what it reads: its own part, and of the runtime what it says it can use', () => {
    const plugin: JsonObject = JSON.parse(
      '{"type":"my-cni","capabilities":{"portMappings":true,"mac":false,"ips":true,"__proto__":true},"__proto__":{"x":1},"name":"other"}',
    );
    const config = requestConfig({ name: 'net', cniVersion: '1.1.0' }, plugin, {
      prevResult: { cniVersion: '1.1.0' },
      capabilityArgs: { portMappings: [{ hostPort: 80 }], mac: 'aa', bandwidth: {} },
    });
    expect(Object.getPrototypeOf(config)).toBe(Object.prototype);
    expect(JSON.parse(JSON.stringify(config))).toEqual(
      JSON.parse(
        '{"type":"my-cni","__proto__":{"x":1},"name":"net","cniVersion":"1.1.0","prevResult":{"cniVersion":"1.1.0"},"runtimeConfig":{"portMappings":[{"hostPort":80}]}}',
      ),
    );
    expect(requestConfig({ name: 'net', cniVersion: '1.1.0' }, { type: 'a' })).toEqual({ type: 'a', name: 'net', cniVersion: '1.1.0' });
  });
});

describe('CNI_ARGS', () => {
  it.each(['', 'A=1', 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0', 'A='])('%j is printed as it was read', (text) => {
    const read = readCniArgs(text);
    expect(read.ok && formatCniArgs(read.args)).toBe(text);
  });
  it('has the last of several', () => {
    expect(readCniArgs('A=1;B=2;A=3')).toEqual({ ok: true, args: { A: '3', B: '2' } });
  });
});

describe('faults', () => {
  it.each<[string, unknown]>([
    ['{"code":11,"msg":"m","details":"d"}', { code: 11, msg: 'm', details: 'd' }],
    ['{"code":11,"msg":"m","details":""}', { code: 11, msg: 'm' }],
    ['{"code":11,"msg":"m","details":1}', { code: 11, msg: 'm' }],
    ['{"code":"11","msg":"m"}', undefined],
    ['{"code":-1,"msg":"m"}', undefined],
    ['{"code":1.5,"msg":"m"}', undefined],
    ['{"code":1}', undefined],
    ['[]', undefined],
    ['', undefined],
  ])('%s', (text, expected) => {
    expect(readFault(text)).toEqual(expected);
  });

  it('are found behind what they caused', () => {
    const error = new CniError({ code: 11, msg: 'm', details: 'd' }, 'ADD');
    expect(error.message).toBe('m; d');
    expect(faultOf(new Error('x', { cause: new Error('y', { cause: error }) }))).toEqual({ code: 11, msg: 'm', details: 'd' });
    expect(faultOf(new Error('x'))).toBeUndefined();
    const circle = new Error('x');
    circle.cause = circle;
    expect(faultOf(circle)).toBeUndefined();
  });
});
