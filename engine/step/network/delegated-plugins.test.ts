import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../object/json.ts';
import { type DelegatedRequest, declares, delegatedPlugins, versionOf } from './delegated-plugins.ts';

const configs = (request: DelegatedRequest, network: JsonObject) => delegatedPlugins(request, network).map(({ config }) => config);

describe('what plugins of a network read', () => {
  it.each<[string, DelegatedRequest, JsonObject, readonly JsonObject[]]>([
    ['a plugin by itself', {}, { type: 'a', name: 'n', cniVersion: '1.0.0', x: 1 }, [{ type: 'a', name: 'n', cniVersion: '1.0.0', x: 1 }]],
    [
      'a list: each has its name and version',
      {},
      { name: 'n', cniVersion: '1.0.0', disableGC: true, plugins: [{ type: 'a' }, { type: 'b', cniVersion: '0.1.0', name: 'mine' }] },
      [
        { type: 'a', name: 'n', cniVersion: '1.0.0' },
        { type: 'b', name: 'n', cniVersion: '1.0.0' },
      ],
    ],
    ['a network without a name', { network: 'net' }, { type: 'a' }, [{ type: 'a', name: 'net' }]],
    [
      'of runtimeConfig what it declares',
      { capabilities: { mac: 'x', ips: [], bandwidth: {} } },
      { plugins: [{ type: 'a', capabilities: { mac: true, ips: false } }, { type: 'b' }] },
      [{ type: 'a', capabilities: { mac: true, ips: false }, runtimeConfig: { mac: 'x' } }, { type: 'b' }],
    ],
    [
      'with what is merged into each, map by map',
      { merge: { args: { cni: { a: 2, b: [3] } }, deviceID: '0000:01:00.0' } },
      {
        plugins: [
          { type: 'a', args: { cni: { a: 1, c: 4 }, other: 5 } },
          { type: 'b', args: 'x' },
        ],
      },
      [
        { type: 'a', args: { cni: { a: 2, b: [3], c: 4 }, other: 5 }, deviceID: '0000:01:00.0' },
        { type: 'b', args: { cni: { a: 2, b: [3] } }, deviceID: '0000:01:00.0' },
      ],
    ],
    [
      'where a key is of a prototype',
      { merge: { args: { cni: JSON.parse('{"__proto__": {"a": 1}}') } } },
      { type: 'a' },
      [{ type: 'a', args: { cni: JSON.parse('{"__proto__": {"a": 1}}') } }],
    ],
  ])('%s', (_what, request, network, expected) => {
    expect(configs(request, network)).toEqual(expected);
  });

  it('what is merged does not rename the network, nor say another version', () => {
    const merge = { name: 'other', cniVersion: '9.9.9' };
    expect(configs({ merge }, { type: 'a', name: 'n', cniVersion: '1.0.0' })).toEqual([{ type: 'a', name: 'n', cniVersion: '1.0.0' }]);
  });

  it('says what it can use, and which version it speaks', () => {
    const [plugin, other] = delegatedPlugins({}, { plugins: [{ type: 'a', capabilities: { mac: true, ips: 'yes' } }, { type: 'b' }] });
    expect([declares(plugin!, 'mac'), declares(plugin!, 'ips'), declares(other!, 'mac')]).toEqual([true, false, false]);
    expect(versionOf(plugin!)).toBe('0.1.0');
  });
});
