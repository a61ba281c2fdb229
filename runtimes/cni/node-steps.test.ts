import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import type { NetworkFacts, NetworkRule, NodeAnswer } from '../../engine/rules/network/program.ts';
import { ownerTag } from '../../engine/step/owner-tag.ts';
import type { Plan } from '../../engine/step/plan.ts';
import { manualClock } from '../host/clock.ts';
import { AttachmentFacts } from './attachment-facts.ts';
import { FakePerformer, fakeRule, walkOf } from './fake-performer.fixture.ts';
import { NodeSteps } from './node-steps.ts';
import type { NetworkFactsSource } from './verbs/network-facts-source.ts';

const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

function planOf(network: string, keys: readonly string[], rule = 'overlay'): Plan {
  const owner = ownerTag(rule, 'node', network);
  const steps = keys.map((key) => ({ key, operation: key, arguments: {}, timeout: 1000, path: [] }));
  return { id: owner.id, owner, netns: undefined, subject: { kind: 'node', network }, walk: () => walkOf(steps) };
}

/** Facts that are the nodes of a cluster, known after they were asked for. */
function cluster() {
  let nodes: readonly JsonObject[] | undefined;
  let learned: readonly JsonObject[] = [{ name: 'n1' }];
  let callback = (): void => {};
  let failure: Error | undefined;
  const facts: NetworkFacts = { nodeName: 'n0', object: () => null, objects: () => nodes };
  const source: NetworkFactsSource = {
    facts,
    async learn() {
      if (failure !== undefined) throw failure;
      nodes = learned;
    },
    onChange(call) {
      callback = call;
      return () => {
        callback = () => {};
      };
    },
  };
  return {
    source,
    change(next: readonly JsonObject[]) {
      learned = next;
      if (nodes !== undefined) nodes = next;
      callback();
    },
    fail(error: Error | undefined) {
      failure = error;
    },
  };
}

const QUERY = { apiVersion: 'v1', kind: 'Node', labelSelector: '' };
const NEEDS = { objects: [], queries: [QUERY] };

function overlay(revision = '1'): NetworkRule {
  const node = (config: JsonObject, facts: NetworkFacts): NodeAnswer => {
    const nodes = facts.objects(QUERY);
    if (nodes === undefined) return { kind: 'needs', needs: NEEDS };
    return {
      kind: 'plan',
      reads: NEEDS,
      plan: planOf(String(config['name']), ['vxlan', ...nodes.map(({ name }) => `route ${name} ${revision}`)]),
    };
  };
  return fakeRule({ name: 'overlay', revision, node });
}

function setUp() {
  const clock = manualClock();
  const performer = new FakePerformer(new Map());
  const facts = cluster();
  const log: string[] = [];
  const nodes = new NodeSteps({ performer, facts: facts.source, clock, log: (line) => log.push(line) });
  const config: JsonObject = { name: 'net', type: 'overlay' };
  const ensure = (rule = overlay(), given = config) => nodes.ensure(rule, 'net', given, never);
  const taken = (): readonly string[] => performer.story.splice(0);
  return { clock, performer, facts, nodes, ensure, taken, log };
}

describe('steps for the node', () => {
  it('are done once, however often a container comes', async () => {
    const { ensure, taken } = setUp();
    const rule = overlay();
    expect(await Promise.all([ensure(rule), ensure(rule)])).toEqual([undefined, undefined]);
    expect(taken()).toEqual(['ensure vxlan', 'ensure route n1 1']);
    expect(await ensure(rule)).toBeUndefined();
    // Of another container of the same network.
    expect(
      await ensure(rule, { type: 'overlay', name: 'net', runtimeConfig: { mac: 'x' }, prevResult: {}, 'cni.dev/attachments': [] }),
    ).toBeUndefined();
    expect(taken()).toEqual([]);
  });

  it('are none where the rule has none', async () => {
    const { ensure, taken } = setUp();
    expect(await ensure(fakeRule())).toBeUndefined();
    expect(taken()).toEqual([]);
  });

  it('follow the facts, several changes at once', async () => {
    const { ensure, taken, facts, clock } = setUp();
    await ensure();
    taken();
    facts.change([{ name: 'n1' }, { name: 'n2' }]);
    facts.change([{ name: 'n2' }, { name: 'n3' }]);
    await turns();
    expect(taken()).toEqual([]);
    clock.advance(100);
    await turns();
    expect(taken()).toEqual(['ensure vxlan', 'ensure route n2 1', 'ensure route n3 1']);
  });

  it('are done again when facts change while they are being done', async () => {
    const { ensure, taken, facts, clock, performer } = setUp();
    let open = (): void => {};
    performer.gate = () => {
      performer.gate = () => Promise.resolve();
      return new Promise((resolve) => (open = resolve));
    };
    const first = ensure();
    await turns();
    facts.change([{ name: 'n9' }]);
    open();
    await first;
    clock.advance(0);
    await turns();
    clock.advance(100);
    await turns();
    expect(taken().slice(0, 4)).toEqual(['ensure vxlan', 'ensure route n1 1', 'ensure vxlan', 'ensure route n9 1']);
  });

  it('follow the configuration, and the rule', async () => {
    const { ensure, taken, nodes, clock } = setUp();
    await ensure();
    taken();
    await ensure(overlay(), { name: 'net', type: 'overlay', vni: 7 });
    expect(taken()).toEqual(['ensure vxlan', 'ensure route n1 1']);
    nodes.rulesChanged([overlay('2')]);
    clock.advance(100);
    await turns();
    expect(taken()).toEqual(['ensure vxlan', 'ensure route n1 2']);
    nodes.rulesChanged([overlay('2')]);
    clock.advance(100);
    await turns();
    expect(taken()).toEqual([]);
  });

  it('say what is in the way, and are tried again, ever more seldom', async () => {
    const { ensure, taken, performer, clock, nodes, log } = setUp();
    performer.failures.set('ensure vxlan', 'vxlan.1: Operation not supported');
    expect(await ensure()).toMatchObject({ code: 100, msg: 'vxlan.1: Operation not supported' });
    expect([...nodes.faults()]).toMatchObject([{ rule: 'overlay', fault: { code: 100 } }]);
    for (const wait of [1000, 2000, 4000]) {
      const before = log.length;
      clock.advance(wait - 1);
      await turns();
      expect(log).toHaveLength(before);
      clock.advance(1);
      await turns();
      expect(log).toHaveLength(before + 1);
    }
    performer.failures.clear();
    clock.advance(8000);
    await turns();
    expect(taken()).toEqual(['ensure vxlan', 'ensure route n1 1']);
    expect([...nodes.faults()]).toEqual([]);
    expect(await ensure()).toBeUndefined();
  });

  it('say that the cluster can not be asked', async () => {
    const { ensure, facts } = setUp();
    facts.fail(new Error('connection refused'));
    expect(await ensure()).toEqual({ code: 11, msg: 'what the rule needs of the cluster is not known yet', details: 'connection refused' });
  });

  it('are not waited for longer than the invocation has', async () => {
    const { nodes, performer } = setUp();
    let open = (): void => {};
    performer.gate = () => new Promise((resolve) => (open = resolve));
    const controller = new AbortController();
    const waiting = nodes.ensure(overlay(), 'net', { name: 'net' }, controller.signal);
    await turns();
    controller.abort();
    expect(await waiting).toEqual({ code: 11, msg: 'the steps for the node are still being performed' });
    open();
  });

  it('are left alone where a change changes none of them, but for what others may have changed in the meantime', async () => {
    const { ensure, taken, facts, clock } = setUp();
    await ensure();
    taken();
    facts.change([{ name: 'n1', heartbeat: 1 }]);
    clock.advance(100);
    await turns();
    expect(taken()).toEqual([]);
    clock.advance(60_000);
    facts.change([{ name: 'n1', heartbeat: 2 }]);
    clock.advance(100);
    await turns();
    expect(taken()).toEqual(['ensure vxlan', 'ensure route n1 1']);
  });

  it('are all looked at once in a while, though something changes all the time', async () => {
    const { ensure, taken, facts, clock } = setUp();
    await ensure();
    taken();
    const change = async (name: string, milliseconds: number): Promise<readonly string[]> => {
      clock.advance(milliseconds);
      facts.change([{ name }]);
      clock.advance(100);
      await turns();
      return taken();
    };
    expect(await change('m1', 30_000)).toEqual(['ensure vxlan', 'ensure route m1 1']);
    expect(await change('m2', 30_000)).toEqual(['ensure vxlan', 'ensure route m2 1', 'ensure vxlan', 'ensure route m2 1']);
    expect(await change('m3', 30_000)).toEqual(['ensure vxlan', 'ensure route m3 1']);
  });

  it('are not put off by changes that never end', async () => {
    const { ensure, taken, facts, clock } = setUp();
    await ensure();
    taken();
    for (let index = 0; index < 4; index++) {
      facts.change([{ name: `m${index}` }]);
      clock.advance(50);
      await turns();
    }
    expect(taken()).toEqual(['ensure vxlan', 'ensure route m1 1', 'ensure vxlan', 'ensure route m3 1']);
  });

  describe('that depend on who is attached', () => {
    const policed = (): NetworkRule =>
      fakeRule({
        name: 'policy',
        node: (config, { attachments }) => ({
          kind: 'plan',
          reads: { objects: [], queries: [] },
          plan: planOf(
            String(config['name']),
            attachments!('net').map(({ containerId }) => `policy ${containerId}`),
            'policy',
          ),
        }),
      });

    function attached() {
      const made = setUp();
      const attachments = new AttachmentFacts(made.performer);
      const facts = attachments.beside(made.facts.source);
      const nodes = new NodeSteps({ performer: made.performer, facts, attachments, clock: made.clock, log: () => {} });
      const attach = (containerId: string): void => {
        const { owner, id } = planOf(containerId, []);
        const subject = { network: 'net', containerId, ifName: 'eth0' };
        made.performer.kept.set(id, { id, rule: owner.rule, subject, netns: '', state: 'performed', steps: [], bootId: 'boot', since: 0 });
        attachments.changed();
      };
      const detach = (containerId: string): void => {
        made.performer.kept.delete(planOf(containerId, []).id);
        attachments.changed();
      };
      const call = (verb: 'ensure' | 'follow', rule = policed()) => nodes[verb](rule, 'net', { name: 'net' }, never);
      return { ...made, nodes, attach, detach, call };
    }

    it('are done with a container before it is answered', async () => {
      const { call, attach, taken } = attached();
      expect(await call('ensure')).toBeUndefined();
      attach('c1');
      expect(await call('follow')).toBeUndefined();
      expect(taken()).toEqual(['ensure policy c1']);
    });

    it('are not looked at again a moment later for a container that was answered', async () => {
      const { call, attach, clock } = attached();
      await call('ensure');
      attach('c1');
      expect(clock.pending()).toBe(1);
      await call('follow');
      expect(clock.pending()).toBe(0);
    });

    it('are done once for many that come while they are being done', async () => {
      const { call, attach, taken, performer } = attached();
      await call('ensure');
      attach('c1');
      let open = (): void => {};
      performer.gate = () => {
        performer.gate = () => Promise.resolve();
        return new Promise((resolve) => (open = resolve));
      };
      const first = call('follow');
      await turns();
      attach('c2');
      const second = call('follow');
      attach('c3');
      const third = call('follow');
      open();
      expect(await Promise.all([first, second, third])).toEqual([undefined, undefined, undefined]);
      expect(taken()).toEqual(['ensure policy c1', 'ensure policy c1', 'ensure policy c2', 'ensure policy c3']);
    });

    it('are done without one that went, a moment later', async () => {
      const { call, attach, detach, taken, clock, performer } = attached();
      attach('c1');
      await call('ensure');
      taken();
      detach('c1');
      clock.advance(100);
      await turns();
      expect([taken(), [...performer.records()].map(({ steps }) => steps.length)]).toEqual([[], [0]]);
    });

    it('say what is in the way of one that comes', async () => {
      const { call, attach, performer } = attached();
      await call('ensure');
      attach('c1');
      performer.failures.set('ensure policy c1', 'no space');
      expect(await call('follow')).toMatchObject({ code: 100, msg: 'no space' });
    });

    it('are not asked of rules that do not read it', async () => {
      const { call, attach, taken } = attached();
      await call('ensure', overlay());
      taken();
      attach('c1');
      expect(await call('follow', overlay())).toBeUndefined();
      expect(taken()).toEqual([]);
    });
  });

  it('are kept true by the next process, before a container comes', async () => {
    const { ensure, taken, facts, clock, performer } = setUp();
    await ensure();
    taken();
    const [record] = [...performer.records()];
    performer.kept.set(record!.id, { ...record!, subject: { kind: 'node', network: 'net', config: { name: 'net' } } });
    const next = new NodeSteps({ performer, facts: facts.source, clock, log: () => {} });
    next.resume([fakeRule(), overlay('2')]);
    clock.advance(0);
    await turns();
    expect(taken()).toEqual(['ensure vxlan', 'ensure route n1 2']);
    facts.change([{ name: 'n2' }]);
    clock.advance(100);
    await turns();
    expect(taken()).toEqual(['ensure vxlan', 'ensure route n2 2']);
  });

  it('end with what keeps them, and stay', async () => {
    const { ensure, taken, facts, clock, nodes } = setUp();
    await ensure();
    taken();
    await nodes.close();
    facts.change([]);
    clock.advance(1000);
    await turns();
    expect(taken()).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  it('keeps nothing true of a rule that is gone', async () => {
    const { nodes, ensure, taken, facts, clock } = setUp();
    await ensure();
    taken();
    nodes.rulesChanged([]);
    facts.change([{ name: 'n1' }, { name: 'n2' }]);
    clock.advance(60_000);
    await turns();
    expect(taken()).toEqual([]);
  });
});
