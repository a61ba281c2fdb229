import { describe, expect, it } from 'vitest';
import { CniError } from '../../../engine/rules/network/protocol/fault.ts';
import { EffectError } from '../../../engine/step/effect.ts';
import { createAddressAllocator } from '../addresses/allocator.ts';
import { fakeRule } from '../fake-performer.fixture.ts';
import { dhcp, faultOf, holdFirst, SILENT, setUp, validAttachments } from '../plugin.fixture.ts';

describe('GC', () => {
  it('removes what is not valid: records, addresses, and what carries a tag', async () => {
    const { invoke, performer, dataDir, reserved } = setUp();
    for (const id of ['a', 'b', 'c']) await invoke({ command: 'ADD', id });
    // An address of which nobody has a record, such as host-local left it.
    const other = createAddressAllocator({ log: () => {} });
    await other.allocate({
      network: 'net',
      containerId: 'old',
      ifName: 'eth0',
      ranges: [[{ subnet: '10.1.0.0/29' }]],
      requested: [],
      dataDir,
    });
    performer.strays.set('x', 'link veth9');
    expect(await invoke({ command: 'GC', config: validAttachments('b') })).toEqual(SILENT);
    expect(reserved()).toEqual(['10.1.0.3']);
    expect(performer.kept.size).toBe(1);
    expect(performer.strays.size).toBe(0);
  });

  it.each([[{}], [{ 'cni.dev/attachments': null }]])('takes %j for no valid attachments at all', async (config) => {
    const { invoke, reserved } = setUp();
    await invoke({ command: 'ADD' });
    expect(await invoke({ command: 'GC', config })).toEqual(SILENT);
    expect(reserved()).toEqual([]);
  });

  it('knows the old spelling', async () => {
    const { invoke, reserved } = setUp();
    await invoke({ command: 'ADD' });
    await invoke({ command: 'GC', config: { 'cni.dev/attachments': [{ containerID: 'c1', ifname: 'eth0' }] } });
    expect(reserved()).toEqual(['10.1.0.2']);
  });

  it('refuses a list that it can not read, instead of removing everything', async () => {
    const { invoke, reserved } = setUp();
    await invoke({ command: 'ADD' });
    expect(faultOf(await invoke({ command: 'GC', config: { 'cni.dev/valid-attachments': [{ containerID: 'c1' }] } }))).toBe(
      '7: cni.dev/valid-attachments[0] has no containerID or no ifname',
    );
    expect(reserved()).toEqual(['10.1.0.2']);
  });

  it('leaves other networks and other rules alone', async () => {
    const { invoke, performer } = setUp({ rules: [fakeRule(), fakeRule({ name: 'second' })] });
    await invoke({ command: 'ADD', config: { name: 'elsewhere' } });
    await invoke({ command: 'ADD', type: 'second' });
    await invoke({ command: 'GC' });
    expect(performer.kept.size).toBe(2);
  });

  it('goes on after a failure and reports it', async () => {
    const { invoke, performer } = setUp();
    await invoke({ command: 'ADD', id: 'a' });
    await invoke({ command: 'ADD', id: 'b' });
    performer.strays.set('x', 'link veth9');
    performer.failures.set('undo bridge', 'bridge cni0: busy');
    expect(faultOf(await invoke({ command: 'GC' }))).toMatch(
      /^105: not all garbage of network net could be removed: bridge cni0: busy \(step bridge/,
    );
    expect(performer.strays.size).toBe(0);
  });

  it('keeps others out of the network, and waits for them', async () => {
    const { invoke, performer } = setUp({ steps: [] });
    const hold = holdFirst(performer, 'perform');
    const adding = invoke({ command: 'ADD', id: 'a' });
    await hold.isReached;
    const collecting = invoke({ command: 'GC' });
    const second = invoke({ command: 'ADD', id: 'b' });
    expect((await invoke({ command: 'ADD', config: { name: 'elsewhere' } })).exitCode).toBe(0);
    hold.open();
    await Promise.all([adding, collecting, second]);
    expect(performer.story).toEqual(['ensure ipam', 'ensure ipam', 'undo ipam', 'ensure ipam']);
  });

  it('is forwarded, and a plugin that does not know it is left in peace', async () => {
    const { invoke, plugins, answers } = setUp({ addresses: dhcp });
    answers.set('dhcp GC', () => {
      throw new CniError({ code: 4, msg: 'unknown CNI_COMMAND: GC' }, 'GC');
    });
    expect(await invoke({ command: 'GC' })).toEqual(SILENT);
    expect(plugins).toEqual(['dhcp GC']);
    answers.set('dhcp GC', () => {
      throw new EffectError('program', 'failed to find plugin "dhcp" in path [/opt/cni/bin]', 'GC');
    });
    expect(faultOf(await invoke({ command: 'GC' }))).toMatch(/dhcp: failed to find plugin/);
  });
});
