import { describe, expect, it } from 'vitest';
import { CniError } from '../../../engine/rules/network/protocol/fault.ts';
import { BindError } from '../../../engine/step/plan.ts';
import { dhcp, faultOf, setUp } from '../plugin.fixture.ts';

describe('ADD', () => {
  it('performs the plan and prints the result in the version of the configuration', async () => {
    const { invoke, performer, reserved } = setUp();
    const answer = await invoke({ command: 'ADD', version: '0.4.0' });
    expect(answer).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(answer.stdout)).toEqual({
      cniVersion: '0.4.0',
      interfaces: [{ name: 'host0' }, { name: 'eth0', sandbox: '/ns/1' }],
      ips: [{ version: '4', address: '10.1.0.2/29', gateway: '10.1.0.1', interface: 1 }],
      routes: [{ dst: '0.0.0.0/0' }],
      dns: {},
    });
    expect(performer.story).toEqual(['ensure ipam', 'ensure bridge', 'ensure veth']);
    expect(reserved()).toEqual(['10.1.0.2']);
  });

  it('gives the pod its annotations before it answers, unless the attachment fails, and gives them up with it', async () => {
    const story: unknown[] = [];
    const podAnnotator = {
      annotate: async (...words: unknown[]) => void story.push(words.slice(1)),
      forget: () => void story.push('forget'),
      resume: () => {},
      close: () => {},
    };
    const { invoke } = setUp({ podAnnotations: (_steps, { ips }) => ({ a: ips[0]!.address }) }, { podAnnotator });
    const environment = { CNI_ARGS: 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_UID=u1' };
    await invoke({ command: 'ADD', environment });
    expect(story).toEqual([[{ namespace: 'shop', name: 'web', uid: 'u1' }, { a: '10.1.0.2/29' }]]);
    await invoke({ command: 'DEL', environment });
    expect(story.splice(0).slice(1)).toEqual(['forget']);
    // Nobody says of which pod it is.
    await invoke({ command: 'ADD', id: 'c2' });
    expect(story).toEqual([]);
    const failing = setUp(
      {
        podAnnotations: () => {
          throw new BindError('no such field', 'podAnnotations', ['spec', 'podAnnotations'], undefined);
        },
      },
      { podAnnotator },
    );
    expect(faultOf(await failing.invoke({ command: 'ADD', environment }))).toMatch(/no such field/);
    expect(failing.performer.story.slice(-1)).toEqual(['undo ipam']);
    expect(story).toEqual(['forget']);
  });

  it('twice is an error, as the specification says, and leaves the first alone', async () => {
    const { invoke, reserved } = setUp();
    await invoke({ command: 'ADD' });
    expect(faultOf(await invoke({ command: 'ADD' }))).toBe(
      '103: container c1 is attached to network net by eth0 already (since 1970-01-01T00:00:00.000Z)',
    );
    expect(reserved()).toEqual(['10.1.0.2']);
  });

  it('works after an ADD that nobody was told of', async () => {
    const answered = new Set<string>();
    const { invoke, performer, reserved } = setUp({}, { answered });
    await invoke({ command: 'ADD' });
    answered.clear();
    expect((await invoke({ command: 'ADD' })).exitCode).toBe(0);
    expect(performer.story.slice(3)).toEqual(['undo veth', 'undo bridge', 'undo ipam', 'ensure ipam', 'ensure bridge', 'ensure veth']);
    expect(reserved()).toHaveLength(1);
  });

  it('tells the step that failed, what it was about, and leaves nothing', async () => {
    const { invoke, performer, reserved } = setUp();
    performer.failures.set('ensure veth', 'veth eth0: RTNETLINK answers: File exists');
    expect(faultOf(await invoke({ command: 'ADD' }))).toBe(
      '100: veth eth0: RTNETLINK answers: File exists (step veth (line 11 of the rule))',
    );
    expect(reserved()).toEqual([]);
  });

  it('refuses the namespace of the host before anything is done to it', async () => {
    const { invoke, performer } = setUp();
    const message = "8: plugin's netns and netns from CNI_NETNS should not be the same";
    expect(faultOf(await invoke({ command: 'ADD', netns: '/host' }))).toBe(message);
    expect(performer.story).toEqual([]);
    const override = { CNI_NETNS_OVERRIDE: 'true' };
    expect((await invoke({ command: 'ADD', netns: '/host', environment: override })).exitCode).toBe(0);
    expect(faultOf(await invoke({ command: 'DEL', netns: '/host' }))).toBe(message);
    expect(performer.kept.size).toBe(0);
  });

  it('is undone when its result can not be told', async () => {
    const { invoke, reserved, performer } = setUp({ addresses: undefined as never });
    expect(faultOf(await invoke({ command: 'ADD', version: '0.2.0' }))).toBe('999: cannot convert: no valid IP addresses');
    expect(performer.kept.size).toBe(0);
    expect(reserved()).toEqual([]);
  });

  it('says that no address is left, and how many there were', async () => {
    const { invoke } = setUp();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await invoke({ command: 'ADD', id });
    expect(faultOf(await invoke({ command: 'ADD', id: 'f' }))).toBe(
      '100: failed to allocate for range 0: no IP addresses available in range set: 10.1.0.1-10.1.0.6 (all 5 are taken) ' +
        '(step ipam (line 7 of the rule); tried: allocate addresses)',
    );
  });

  it('says what another plugin said, unchanged', async () => {
    const { invoke, answers } = setUp({ addresses: dhcp });
    answers.set('dhcp ADD', () => {
      throw new CniError({ code: 11, msg: 'no lease', details: 'timed out' }, 'ADD of plugin dhcp');
    });
    expect(faultOf(await invoke({ command: 'ADD' }))).toBe('11: no lease (timed out)');
  });

  it('of a plugin that is no rule', async () => {
    const { invoke } = setUp();
    expect(faultOf(await invoke({ command: 'ADD', type: 'other' }))).toBe(
      '106: there is no NetworkRule named other (the bundle has my-cni)',
    );
  });

  it('passes on why a rule refuses', async () => {
    const { invoke } = setUp({ attach: () => ({ kind: 'fault', fault: { code: 7, msg: 'subnet is missing' } }) });
    expect(faultOf(await invoke({ command: 'ADD' }))).toBe('7: subnet is missing');
  });

  it('ends when its time is up', async () => {
    const { invoke, performer } = setUp();
    let open = (): void => {};
    performer.gate = () => new Promise<void>((resolve) => (open = resolve));
    const first = invoke({ command: 'ADD' });
    const controller = new AbortController();
    const second = invoke({ command: 'ADD' }, controller.signal);
    controller.abort();
    expect(faultOf(await second)).toMatch(/^11: the time was up \(waited in vain for .*, which an ADD has\)$/);
    open();
    expect((await first).exitCode).toBe(0);
  });
});
