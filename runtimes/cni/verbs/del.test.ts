import { describe, expect, it } from 'vitest';
import { attachmentOwner } from '../../../engine/rules/network/attachment.ts';
import { dhcp, faultOf, holdFirst, SILENT, setUp } from '../plugin.fixture.ts';

describe('DEL', () => {
  it('undoes what ADD did, and succeeds again', async () => {
    const { invoke, performer, reserved } = setUp();
    await invoke({ command: 'ADD' });
    performer.story.length = 0;
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
    expect(performer.story).toEqual(['undo veth', 'undo bridge', 'undo ipam']);
    expect(reserved()).toEqual([]);
    expect(await invoke({ command: 'DEL', netns: '' })).toEqual(SILENT);
    expect(await invoke({ command: 'DEL', netns: '/gone' })).toEqual(SILENT);
    expect((await invoke({ command: 'ADD' })).exitCode).toBe(0);
  });

  it('removes without a record what carries the tag, and releases addresses', async () => {
    const { invoke, performer, reserved, plugin } = setUp();
    await invoke({ command: 'ADD' });
    performer.kept.clear();
    const { id } = attachmentOwner('my-cni', { network: 'net', containerId: 'c1', ifName: 'eth0' });
    performer.strays.set(id, 'link veth1').set('other', 'link veth2');
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
    expect([...performer.strays.keys()]).toEqual(['other']);
    expect(reserved()).toEqual([]);
    await plugin.close();
  });

  it('undoes what a rule made that is no more', async () => {
    const { invoke, plugin, performer, reserved } = setUp();
    await invoke({ command: 'ADD' });
    plugin.setProgram({ rules: [] });
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
    expect(performer.kept.size).toBe(0);
    expect(reserved()).toEqual([]);
  });

  it('succeeds where the rule refuses the configuration by now', async () => {
    const { invoke } = setUp({ attach: () => ({ kind: 'fault', fault: { code: 7, msg: 'no' } }) });
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
  });

  it('says what is left', async () => {
    const { invoke, performer } = setUp();
    await invoke({ command: 'ADD' });
    performer.failures.set('undo bridge', 'bridge cni0: Device or resource busy');
    expect(faultOf(await invoke({ command: 'DEL' }))).toBe(
      '105: bridge cni0: Device or resource busy (step bridge (line 10 of the rule); while it was undone; left: link of bridge)',
    );
    performer.failures.clear();
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
  });

  it('is forwarded to the plugin that gave addresses, also without a record', async () => {
    const { invoke, plugins } = setUp({ addresses: dhcp });
    expect(await invoke({ command: 'DEL' })).toEqual(SILENT);
    expect(plugins).toEqual(['dhcp DEL']);
  });

  it('waits for the ADD of the same attachment, and not for others', async () => {
    const { invoke, performer } = setUp();
    const hold = holdFirst(performer, 'perform');
    const adding = invoke({ command: 'ADD' });
    await hold.isReached;
    const deleting = invoke({ command: 'DEL' });
    expect(await invoke({ command: 'DEL', id: 'c2' })).toEqual(SILENT);
    expect(performer.story).toEqual([]);
    hold.open();
    await Promise.all([adding, deleting]);
    expect(performer.story).toEqual(['ensure ipam', 'ensure bridge', 'ensure veth', 'undo veth', 'undo bridge', 'undo ipam']);
  });
});
