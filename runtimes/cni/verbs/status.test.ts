import { describe, expect, it } from 'vitest';
import { CniError } from '../../../engine/rules/network/protocol/fault.ts';
import { EffectError } from '../../../engine/step/effect.ts';
import { allocatedIn, dhcp, faultOf, SILENT, STATUS, setUp, temporaryFolder } from '../plugin.fixture.ts';
import { factsWithoutCluster } from './network-facts-source.ts';

describe('STATUS', () => {
  it('is well', async () => {
    expect(await setUp().invoke(STATUS)).toEqual(SILENT);
  });

  it('takes no address', async () => {
    const { invoke, reserved } = setUp();
    await invoke(STATUS);
    expect(reserved()).toEqual([]);
  });

  it('says what the host lacks', async () => {
    const { invoke, host } = setUp();
    host.lacks.push('there is no program nft');
    expect(faultOf(await invoke(STATUS))).toBe('50: the host lacks what rule my-cni needs (there is no program nft)');
  });

  it('says that no address is left', async () => {
    const { invoke } = setUp();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await invoke({ command: 'ADD', id });
    expect(faultOf(await invoke(STATUS))).toBe('50: no IP addresses available in range set: 10.1.0.1-10.1.0.6 (all 5 are taken)');
    await invoke({ command: 'DEL', id: 'c' });
    expect(await invoke(STATUS)).toEqual(SILENT);
  });

  it('says that ranges or a plugin can not be used', async () => {
    const wrong = setUp({ addresses: allocatedIn(temporaryFolder(), [[]]) });
    expect(faultOf(await wrong.invoke(STATUS))).toBe('50: invalid range set 0: empty range set');
    const { invoke, answers } = setUp({ addresses: dhcp });
    answers.set('dhcp STATUS', () => {
      throw new EffectError('program', 'failed to find plugin "dhcp"', 'STATUS');
    });
    expect(faultOf(await invoke(STATUS))).toBe('50: failed to find plugin "dhcp" (STATUS)');
  });

  it('says what the rule says', async () => {
    const { invoke } = setUp({ status: () => ({ code: 51, msg: 'the uplink is down' }) });
    expect(faultOf(await invoke(STATUS))).toBe('51: the uplink is down');
  });

  it('finds out what the rule needs of the cluster, and says when it can not', async () => {
    let isKnown = false;
    const needs = { objects: [{ apiVersion: 'v1', kind: 'Node', name: 'node-1' }], queries: [] };
    const learned: unknown[] = [];
    const facts = {
      ...factsWithoutCluster(),
      learn: async (asked: unknown) => {
        if (learned.push(asked) > 1) throw new Error('connection refused');
        isKnown = true;
      },
    };
    const { invoke } = setUp({ status: () => (isKnown ? undefined : { kind: 'needs', needs }) }, { facts });
    expect(await invoke(STATUS)).toEqual(SILENT);
    expect(learned).toEqual([needs]);
    isKnown = false;
    expect(faultOf(await invoke(STATUS))).toBe('50: what the rule needs of the cluster is not known yet (connection refused)');
  });

  it('says what the plugin says that gives addresses', async () => {
    const { invoke, answers } = setUp({ addresses: dhcp });
    expect(await invoke(STATUS)).toEqual(SILENT);
    answers.set('dhcp STATUS', () => {
      throw new CniError({ code: 50, msg: 'no daemon' }, 'STATUS');
    });
    expect(faultOf(await invoke(STATUS))).toBe('50: no daemon');
  });

  it('of a plugin that is no rule', async () => {
    expect(faultOf(await setUp().invoke({ ...STATUS, type: 'other' }))).toMatch(/^50: there is no NetworkRule named other/);
  });

  it('is not held against the rule that it has no container to look at', async () => {
    const { invoke } = setUp({ attach: () => ({ kind: 'fault', fault: { code: 7, msg: 'no prevResult' } }) });
    expect(await invoke(STATUS)).toEqual(SILENT);
  });
});
