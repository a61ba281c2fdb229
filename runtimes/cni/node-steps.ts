import { canonicalJson, isJsonObject, type JsonObject, ownValue } from '../../engine/object/json.ts';
import { networkOf } from '../../engine/rules/network/config.ts';
import type { CniFault, NetworkFacts, NetworkRule, NodeAttachment } from '../../engine/rules/network/program.ts';
import { FAULT_CODES } from '../../engine/rules/network/protocol/fault.ts';
import { BindError, type Plan } from '../../engine/step/plan.ts';
import type { Clock, Timer } from '../host/clock.ts';
import type { Performer, PlanRecord } from '../linux/performer.ts';
import { isSameStep } from '../linux/plan-run.ts';
import { stepDeadline } from '../linux/step-deadline.ts';
import type { AttachmentFacts } from './attachment-facts.ts';
import { faultOfError } from './verbs/fault-of-error.ts';
import { type NetworkFactsSource, withFacts } from './verbs/network-facts-source.ts';

export interface NodeStepsOptions {
  readonly performer: Performer;
  readonly facts: NetworkFactsSource;
  /** Default: nobody is attached. */
  readonly attachments?: AttachmentFacts;
  readonly clock: Clock;
  readonly log: (line: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** A network whose rule has steps for the node. */
interface NodeNetwork {
  readonly key: string;
  rule: NetworkRule;
  config: JsonObject;
  /** What {@link rule} and {@link config} mean; a change means that the node is not as it should be. */
  meaning: string;
  /** The node is as the meaning and the facts of the last attempt say. */
  isConverged: boolean;
  fault: CniFault | undefined;
  running: Promise<void> | undefined;
  /** Facts have changed while it ran. */
  isStale: boolean;
  /** A convergence that begins when {@link running} has ended. */
  next: Promise<void> | undefined;
  failures: number;
  timer: Timer | undefined;
  /** When {@link timer} is due, as the clock has it. */
  due: number;
  /** The steps depend on who is attached. */
  readsAttachments: boolean;
  /** Milliseconds of the last convergence. */
  took: number;
  /** When all steps were last ensured, and not only what had changed. */
  ensured: number | undefined;
}

/** Networks with steps for the node that are kept true at once. */
const MAX_NETWORKS = 256;
/** Milliseconds that one convergence may take. */
const DEADLINE = 60_000;
/** Milliseconds in which several changes of facts become one. */
const SETTLE = 100;
/** Milliseconds after a failure until it is tried again; doubles with each. */
const FIRST_RETRY = 1_000;
const MAX_RETRY = 60_000;
/** Milliseconds after which what others may have changed is made true again, when there is occasion. */
const REPAIR = 60_000;
/** Rest between convergences, as multiples of what the last one took: in a large cluster something changes all the time. */
const REST = 5;
const MAX_REST = 5_000;
const NOT_YET: CniFault = { code: FAULT_CODES.tryAgainLater, msg: 'the steps for the node are still being performed' };

/**
 * Keeps the steps for the node as a whole true: a tunnel, routes to other nodes, sets of a firewall. A network is known from its first ADD or
 * STATUS on; from then on its steps are converged whenever facts change, one convergence of a network at a time, and after a failure again and
 * again, ever more seldom.
 */
export class NodeSteps {
  readonly #options: NodeStepsOptions;
  readonly #networks = new Map<string, NodeNetwork>();
  readonly #stop: readonly (() => void)[];
  #isClosed = false;

  constructor(options: NodeStepsOptions) {
    this.#options = options;
    this.#stop = [
      options.facts.onChange(() => this.#factsChanged(() => true)),
      options.attachments?.onChange(() => this.#factsChanged(({ readsAttachments }) => readsAttachments)) ?? (() => {}),
    ];
  }

  /** Goes on keeping true what an earlier process of this boot has made for networks, before any of them is asked for. */
  resume(rules: readonly NetworkRule[]): void {
    for (const { rule: name, subject } of [...this.#options.performer.records()]) {
      const config = ownValue(subject, 'config');
      const rule = rules.find((each) => each.name === name);
      if (subject['kind'] !== 'node' || rule?.node === undefined || !isJsonObject(config)) continue;
      this.#schedule(this.#stateOf(rule, String(subject['network']), config), 0);
    }
  }

  /**
   * Makes the node ready for a network, and answers what is in the way; undefined where nothing is, also where the rule has no steps for the node.
   * Immediate where it is ready already.
   */
  async ensure(rule: NetworkRule, network: string, config: JsonObject, signal: AbortSignal): Promise<CniFault | undefined> {
    if (rule.node === undefined) return undefined;
    const state = this.#stateOf(rule, network, config);
    if (state.isConverged) return undefined;
    await withinSignal(this.#converge(state), signal);
    return state.isConverged ? undefined : (state.fault ?? NOT_YET);
  }

  /**
   * Makes the steps true for an attachment that has come: where they depend on who is attached, it is answered when they were converged with it.
   * Many that come at once share a convergence.
   */
  async follow(rule: NetworkRule, network: string, config: JsonObject, signal: AbortSignal): Promise<CniFault | undefined> {
    if (rule.node === undefined) return undefined;
    const state = this.#stateOf(rule, network, config);
    if (!state.readsAttachments && state.isConverged) return undefined;
    await withinSignal(this.#convergeAnew(state), signal);
    return state.isConverged ? undefined : (state.fault ?? NOT_YET);
  }

  /** What stands against the networks that are known, for health. */
  *faults(): IterableIterator<{ readonly rule: string; readonly fault: CniFault }> {
    for (const { rule, fault } of this.#networks.values()) if (fault !== undefined) yield { rule: rule.name, fault };
  }

  /**
   * Takes over rules that were compiled anew: what changed is converged again. What was made by a rule that is not there any more stays, for
   * containers that it has attached, but is not kept true; {@link remove} undoes it.
   */
  rulesChanged(rules: readonly NetworkRule[]): void {
    for (const [key, state] of this.#networks) {
      const rule = rules.find(({ name }) => name === state.rule.name);
      if (rule?.node === undefined) {
        state.timer?.cancel();
        state.isStale = false;
        this.#networks.delete(key);
        continue;
      }
      if (rule.revision === state.rule.revision) continue;
      this.#setMeaning(state, rule, state.config);
      this.#schedule(state, SETTLE);
    }
  }

  /** Undoes the steps of a network's record, and forgets the network until it is asked for again. Throws what the performer throws. */
  async remove({ id, rule, subject }: PlanRecord): Promise<void> {
    const key = keyOf(rule, String(subject['network']));
    const state = this.#networks.get(key);
    state?.timer?.cancel();
    if (state !== undefined) Object.assign(state, { timer: undefined, isStale: false, isConverged: false });
    await state?.running;
    await this.#options.performer.undo(id);
    // Whoever asked in between has made the steps anew.
    if (state?.running === undefined && state?.isConverged === false) this.#networks.delete(key);
  }

  /** Ends what keeps the node true, and waits for what is being done. What was made stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stop) stop();
    for (const state of this.#networks.values()) state.timer?.cancel();
    await Promise.all([...this.#networks.values()].map(({ running, next }) => next ?? running));
  }

  #stateOf(rule: NetworkRule, network: string, config: JsonObject): NodeNetwork {
    const key = keyOf(rule.name, network);
    let state = this.#networks.get(key);
    if (state === undefined) {
      if (this.#networks.size >= MAX_NETWORKS) throw new Error(`more than ${MAX_NETWORKS} networks have steps for the node`);
      state = {
        key,
        rule,
        config,
        meaning: '',
        isConverged: false,
        fault: undefined,
        running: undefined,
        isStale: false,
        next: undefined,
        failures: 0,
        timer: undefined,
        due: 0,
        readsAttachments: false,
        took: 0,
        ensured: undefined,
      };
      this.#networks.set(key, state);
    }
    if (state.meaning === '' || state.rule !== rule || state.config !== config) this.#setMeaning(state, rule, config);
    return state;
  }

  #setMeaning(state: NodeNetwork, rule: NetworkRule, config: JsonObject): void {
    const meaning = `${rule.revision}\n${canonicalJson(networkOf(config))}`;
    state.rule = rule;
    state.config = config;
    if (meaning === state.meaning) return;
    state.meaning = meaning;
    state.isConverged = false;
    state.isStale = state.running !== undefined;
  }

  #factsChanged(concerns: (state: NodeNetwork) => boolean): void {
    for (const state of this.#networks.values()) {
      if (!concerns(state)) continue;
      // Until it is known what the change means, the node counts as ready: a pod must not wait for every node that comes and goes.
      state.isStale = state.running !== undefined;
      this.#schedule(state, Math.max(SETTLE, Math.min(MAX_REST, REST * state.took)));
    }
  }

  #schedule(state: NodeNetwork, milliseconds: number): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    const due = clock.elapsed() + milliseconds;
    // Changes that never end must not put it off for ever.
    if (state.timer !== undefined && state.due <= due) return;
    state.timer?.cancel();
    state.due = due;
    state.timer = clock.after(milliseconds, () => {
      state.timer = undefined;
      void this.#converge(state);
    });
  }

  #converge(state: NodeNetwork): Promise<void> {
    state.running ??= this.#attempt(state).finally(() => {
      state.running = undefined;
      if (state.isStale) {
        state.isStale = false;
        this.#schedule(state, 0);
      }
    });
    return state.running;
  }

  /** A convergence that has begun when this was called may not know what is to be known. */
  #convergeAnew(state: NodeNetwork): Promise<void> {
    if (state.running === undefined) return this.#converge(state);
    state.next ??= state.running.then(() => {
      state.next = undefined;
      return this.#isClosed ? undefined : this.#converge(state);
    });
    return state.next;
  }

  async #attempt(state: NodeNetwork): Promise<void> {
    const { clock, facts, performer, log } = this.#options;
    const { rule, config, meaning } = state;
    const began = clock.elapsed();
    const isDue = state.ensured === undefined || began - state.ensured >= REPAIR;
    const isRepaired = state.isConverged && state.fault === undefined && !isDue;
    // What was to come because of changes until now comes with this.
    state.timer?.cancel();
    state.timer = undefined;
    const limit = stepDeadline(clock, DEADLINE, undefined);
    try {
      const answer = await withFacts({ source: facts, clock }, limit.signal, (known) =>
        rule.node!(config, { ...known, attachments: (network) => this.#attachmentsFor(state, network, known) }),
      );
      if (answer.kind === 'plan') {
        const { plan } = answer;
        const isChanged = !isAsRecorded(plan, performer.record(plan.id));
        if (isChanged || !isRepaired) await performer.converge(plan, limit.signal);
        // Steps that change may do no more than that. Where something changes all the time, all is looked at once in a while nevertheless.
        if (isChanged && isDue && state.ensured !== undefined) await performer.converge(plan, limit.signal);
        if (isDue || !isChanged) state.ensured = clock.elapsed();
      }
      state.fault = answer.kind === 'fault' ? answer.fault : undefined;
    } catch (error) {
      state.fault = faultOfError(error);
    } finally {
      limit.end();
      state.took = clock.elapsed() - began;
    }
    state.isConverged = state.fault === undefined && state.meaning === meaning;
    if (state.fault === undefined) {
      state.failures = 0;
      return;
    }
    state.failures++;
    log('the steps for the node failed', { rule: rule.name, error: state.fault.msg, details: state.fault.details });
    this.#schedule(state, Math.min(MAX_RETRY, FIRST_RETRY * 2 ** Math.min(16, state.failures - 1)));
  }

  #attachmentsFor(state: NodeNetwork, network: string, known: NetworkFacts): readonly NodeAttachment[] {
    state.readsAttachments = true;
    return known.attachments?.(network) ?? [];
  }
}

const keyOf = (rule: string, network: string): string => `${rule}/${network}`;

/** Whether a plan wants what was performed already, to the letter. Most changes of a cluster change nothing on a node. */
function isAsRecorded(plan: Plan, record: PlanRecord | undefined): boolean {
  if (record?.state !== 'performed') return false;
  try {
    const walk = plan.walk();
    for (const { step, outputs } of record.steps) {
      const next = walk.next();
      if (next === undefined || outputs === undefined || !isSameStep(next, step)) return false;
      walk.done(outputs);
    }
    return walk.next() === undefined;
  } catch (error) {
    // Whoever performs it will say it.
    if (error instanceof BindError) return false;
    throw error;
  }
}

function withinSignal(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    void work.then(end, end);
  });
}
