import type { JsonObject } from '../../engine/object/json.ts';
import { attachedPod, attachmentOwner, attachmentSubject } from '../../engine/rules/network/attachment.ts';
import type { NetworkAnswer, NetworkPlan, NetworkRequest, NetworkRule } from '../../engine/rules/network/program.ts';
import type { Effect } from '../../engine/step/effect.ts';
import type { OwnedThing } from '../../engine/step/operation.ts';
import type { BoundStep, PerformedStep, Plan } from '../../engine/step/plan.ts';
import type { Collected, HostHandler, Performer, PlanRecord, StepProblem } from '../linux/performer.ts';
import { StepFailure } from '../linux/performer.ts';
import type { CustomEffect } from './network-effects.ts';

/** A performer for tests of verbs: steps are names that it notes, and effects only those of addresses and plugins. */
export class FakePerformer implements Performer {
  readonly story: string[] = [];
  readonly kept = new Map<string, PlanRecord>();
  /** Things with a tag and without a record, by plan. */
  readonly strays = new Map<string, string>();
  /** Thrown by the verb of a step: `ensure veth`. */
  readonly failures = new Map<string, string>();
  problems: readonly StepProblem[] = [];
  /** Waited for at the start of each verb of a plan. */
  gate: (verb: string) => Promise<void> = () => Promise.resolve();
  readonly #effects: ReadonlyMap<string, CustomEffect>;

  constructor(effects: ReadonlyMap<string, CustomEffect>) {
    this.#effects = effects;
  }

  async perform(plan: Plan, signal?: AbortSignal): Promise<readonly PerformedStep[]> {
    await this.gate('perform');
    const steps: PerformedStep[] = [];
    const walk = plan.walk();
    for (let step = walk.next(); step !== undefined; step = walk.next()) {
      try {
        const outputs = await this.#ensure(step, signal);
        steps.push({ step, outputs });
        walk.done(outputs);
      } catch (error) {
        for (const done of steps.toReversed()) await this.#undo(done.step);
        if (error instanceof StepFailure) throw error;
        throw new StepFailure((error as Error).message, { step, verb: 'ensure', code: 'other', cause: error });
      }
    }
    const { id, owner, netns, subject } = plan;
    this.kept.set(id, { id, rule: owner.rule, subject, netns, state: 'performed', steps, bootId: 'boot', since: 0 });
    return steps;
  }

  async converge(plan: Plan, signal?: AbortSignal): Promise<readonly PerformedStep[]> {
    this.kept.delete(plan.id);
    return this.perform(plan, signal);
  }

  async undo(id: string): Promise<void> {
    await this.gate('undo');
    const record = this.kept.get(id);
    if (record === undefined) return;
    for (const { step } of record.steps.toReversed()) await this.#undo(step);
    this.kept.delete(id);
  }

  async forget(id: string): Promise<boolean> {
    return this.kept.get(id)?.state === 'undoing' && this.kept.delete(id);
  }

  async check(id: string): Promise<readonly StepProblem[]> {
    this.story.push(`check ${id === '' ? '' : 'plan'}`);
    return this.problems;
  }

  record(id: string): PlanRecord | undefined {
    return this.kept.get(id);
  }

  records(): IterableIterator<PlanRecord> {
    return this.kept.values();
  }

  async recover(): Promise<{ readonly undone: readonly PlanRecord[]; readonly left: readonly string[] }> {
    return { undone: [], left: [] };
  }

  async collect({ rules }: Parameters<Performer['collect']>[0]): Promise<Collected> {
    return this.#removeStrays([...this.strays.keys()], rules?.[0]);
  }

  async sweep(id: string): Promise<Collected> {
    return this.#removeStrays([id]);
  }

  #removeStrays(ids: readonly string[], rule = 'rule'): Collected {
    const removed: OwnedThing[] = [];
    for (const id of ids) {
      const what = this.strays.get(id);
      if (what === undefined) continue;
      this.strays.delete(id);
      removed.push({ tag: `fairlead:${rule}:${id}`, what, *remove() {} });
    }
    return { removed, left: [] };
  }

  async close(): Promise<void> {}

  async #ensure(step: BoundStep, signal: AbortSignal | undefined): Promise<JsonObject> {
    this.#mayFail(step, 'ensure');
    this.story.push(`ensure ${step.key}`);
    if (step.operation === 'addresses') return (await this.#addresses('allocate', step, signal)) as JsonObject;
    if (step.operation === 'delegate')
      return ((await this.#effects.get('plugin')!({ command: 'ADD', ...step.arguments }, signal)) ?? {}) as JsonObject;
    return { name: step.key };
  }

  async #undo(step: BoundStep): Promise<void> {
    this.#mayFail(step, 'undo');
    this.story.push(`undo ${step.key}`);
    if (step.operation === 'addresses') await this.#addresses('release', step, undefined);
  }

  #mayFail(step: BoundStep, verb: 'ensure' | 'undo'): void {
    const failure = this.failures.get(`${verb} ${step.key}`);
    if (failure === undefined) return;
    throw new StepFailure(failure, { step, verb, code: 'other', left: verb === 'undo' ? [`link of ${step.key}`] : [] });
  }

  #addresses(verb: string, step: BoundStep, signal: AbortSignal | undefined): Promise<unknown> {
    return this.#effects.get('addresses')!({ verb, ...step.arguments }, signal);
  }
}

/** A host that has everything, and whose kernel shows what it is told to. */
export function fakeHost(rows: (words: readonly string[]) => readonly JsonObject[] = () => []): HostHandler & { lacks: string[] } {
  const perform = async (effect: Effect): Promise<unknown> => (effect.kind === 'show' ? rows(effect.words) : undefined);
  const lacks: string[] = [];
  return {
    lacks,
    perform,
    session: async () => ({ perform, netnsGone: false, close: () => {} }),
    missing: async (requirements) => requirements.flatMap((requirement) => lacks.map((message) => ({ requirement, message }))),
  };
}

export interface FakeRule {
  readonly name?: string;
  readonly revision?: string;
  /** Keys of steps behind the addresses; of operation `<key>`. */
  readonly steps?: readonly string[];
  /** Arguments of the first step; without, there are no addresses. */
  readonly addresses?: (request: NetworkRequest) => { readonly operation: 'addresses' | 'delegate'; readonly arguments: JsonObject };
  readonly attach?: (request: NetworkRequest) => NetworkAnswer | undefined;
  readonly status?: NetworkRule['status'];
  readonly delegates?: boolean;
  readonly podAnnotations?: NetworkPlan['podAnnotations'];
  readonly node?: NetworkRule['node'];
}

/** A rule whose plan is a list of names. Its result has the addresses, and an interface in the container. */
export function fakeRule(fields: FakeRule = {}): NetworkRule {
  const { name = 'my-cni', revision = '1', steps = ['bridge', 'veth'] } = fields;
  const planOf = (request: NetworkRequest): NetworkPlan => {
    const owner = attachmentOwner(name, request);
    const first = fields.addresses?.(request);
    const bound: readonly BoundStep[] = [
      ...(first === undefined ? [] : [{ key: 'ipam', timeout: 1000, path: ['spec', 'ipam'], line: 7, ...first }]),
      ...steps.map((key, index) => ({
        key,
        operation: key,
        arguments: {},
        timeout: 1000,
        path: ['spec', 'steps', index],
        line: 10 + index,
      })),
    ];
    return {
      id: owner.id,
      owner,
      netns: request.netns === '' ? undefined : request.netns,
      subject: { ...attachmentSubject(request), ...attachedPod(request) },
      walk: () => walkOf(bound),
      podAnnotations: fields.podAnnotations,
      result(performed) {
        const given = performed.find(({ key }) => key === 'ipam')?.outputs['ips'];
        const ips = (Array.isArray(given) ? given : []) as unknown as readonly { readonly address: string; readonly gateway: string }[];
        return {
          interfaces: [{ name: 'host0' }, { name: request.ifName, sandbox: request.netns }],
          ips: ips.map(({ address, gateway }) => ({ address, gateway, interface: 1 })),
          routes: [{ dst: '0.0.0.0/0' }],
          dns: {},
        };
      },
    };
  };
  return {
    name,
    revision,
    capabilities: [],
    config: { required: [], defaults: {}, fields: [] },
    reads: [],
    needsCluster: false,
    annotatesPods: false,
    delegates: fields.delegates ?? false,
    requirements: [{ kind: 'program', name: 'ip' }],
    attach: (request) => fields.attach?.(request) ?? { kind: 'plan', plan: planOf(request) },
    status: fields.status ?? (() => undefined),
    node: fields.node,
  };
}

export function walkOf(steps: readonly BoundStep[]): ReturnType<Plan['walk']> {
  let index = 0;
  return { next: () => steps[index++], done: () => {} };
}
