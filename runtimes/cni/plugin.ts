import type { CniFault, NetworkProgram, NetworkRequest, NetworkRule } from '../../engine/rules/network/program.ts';
import { FAULT_CODES, fault } from '../../engine/rules/network/protocol/fault.ts';
import { aboutText, readInvocation } from '../../engine/rules/network/protocol/invocation.ts';
import { VERSION_ANSWER } from '../../engine/rules/network/protocol/version.ts';
import { type Clock, systemClock } from '../host/clock.ts';
import type { LineLog } from '../host/log.ts';
import { DURATION_BUCKETS, type Metrics } from '../host/metrics.ts';
import type { HostHandler, Performer, PlanRecord } from '../linux/performer.ts';
import { stepDeadline } from '../linux/step-deadline.ts';
import type { AddressAllocator } from './addresses/allocator.ts';
import { AttachmentFacts } from './attachment-facts.ts';
import { NO_PODS, type PodAnnotator } from './cluster/pod-annotator.ts';
import type { Delegate } from './delegation/delegate.ts';
import { faultAnswer } from './fault-answer.ts';
import { kernelNetns, type NetnsIdentity } from './netns-identity.ts';
import { NodeSteps } from './node-steps.ts';
import { add } from './verbs/add.ts';
import { AttachmentGate } from './verbs/attachment-gate.ts';
import { check } from './verbs/check.ts';
import { del } from './verbs/del.ts';
import { faultOfError } from './verbs/fault-of-error.ts';
import { gc } from './verbs/gc.ts';
import type { NetworkFactsSource } from './verbs/network-facts-source.ts';
import { status } from './verbs/status.ts';
import { type AnsweredAdds, refused, type VerbAnswer, type VerbContext } from './verbs/verb-context.ts';
import type { Answer, Invocation } from './wire.ts';

export interface PluginOptions {
  readonly program: NetworkProgram;
  /** Performs plans; its handler must know the effects of `networkEffects`. */
  readonly performer: Performer;
  readonly host: HostHandler;
  readonly addresses: AddressAllocator;
  readonly delegate: Delegate;
  readonly facts: NetworkFactsSource;
  readonly log: LineLog;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  readonly netns?: NetnsIdentity;
  /** Default: known for as long as the process lives. */
  readonly answered?: AnsweredAdds;
  /** Default: there are no pods. It is closed with the plugin. */
  readonly podAnnotator?: PodAnnotator;
  /** What is said of the version when somebody calls the executable by hand. */
  readonly version?: string;
}

/** Milliseconds that an invocation may take: the kubelet waits for two minutes. */
const DEADLINE = 110_000;
/** Of STATUS: runtimes ask every five seconds. */
const STATUS_DEADLINE = 10_000;

/** Answers invocations of the plugins that the rules of a program are. */
export interface Plugin {
  /**
   * Serves an invocation by the rule that has the name by which the executable was called. Never rejects. What is begun is ended when `signal`
   * aborts, and undone as far as it is an ADD.
   */
  invoke(invocation: Invocation, signal?: AbortSignal): Promise<Answer>;
  /** Takes another program; what is under way goes on with the one that it began with. */
  setProgram(program: NetworkProgram): void;
  /** Keeps true what an earlier daemon has made for the node, and gives pods what it owed them. Call it when what that left half done is undone. */
  resume(): void;
  /** What stands against the steps for the node. */
  nodeFaults(): readonly { readonly rule: string; readonly fault: CniFault }[];
  /** Undoes what a record holds of the node for a network, until the network is asked for again. */
  removeNodeSteps(record: PlanRecord): Promise<void>;
  /** Ends what keeps the node true. */
  close(): Promise<void>;
}

export function createPlugin(options: PluginOptions): Plugin {
  const { performer, host, addresses, delegate, log, metrics, clock = systemClock, netns = kernelNetns } = options;
  let { program } = options;
  const attachments = new AttachmentFacts(performer);
  const facts = attachments.beside(options.facts);
  const nodes = new NodeSteps({ performer, facts, attachments, clock, log });
  const context: VerbContext = {
    performer,
    host,
    addresses,
    delegate,
    facts,
    attachments,
    nodes,
    gate: new AttachmentGate(),
    podAnnotator: options.podAnnotator ?? NO_PODS,
    answered: options.answered ?? new Set<string>(),
    clock,
    log,
  };
  const count = metrics?.counter({
    name: 'fairlead_cni_invocations_total',
    help: 'Invocations by verb, rule and code of the answer (0: success).',
    labels: ['command', 'rule', 'code'],
  });
  const duration = metrics?.histogram({
    name: 'fairlead_cni_invocation_seconds',
    help: 'Seconds from the invocation to its answer.',
    labels: ['command', 'rule'],
    buckets: DURATION_BUCKETS,
  });

  async function serve(type: string, request: NetworkRequest, netnsOverride: boolean, signal: AbortSignal): Promise<VerbAnswer> {
    const { command } = request;
    // The official plugins find this out when all is done; then the host has got what was meant for a container.
    const wrongNetns = netnsOverride ? undefined : checkNetns(netns, request);
    if (wrongNetns !== undefined && command === 'ADD') return refused(wrongNetns);
    const rule = program.rules.find(({ name }) => name === type);
    const answer = await perform(command, rule, type, request, signal);
    return answer.ok && wrongNetns !== undefined && command === 'DEL' ? refused(wrongNetns) : answer;
  }

  function perform(
    command: NetworkRequest['command'],
    rule: NetworkRule | undefined,
    type: string,
    request: NetworkRequest,
    signal: AbortSignal,
  ): Promise<VerbAnswer> {
    if (command === 'DEL') return del(context, rule, type, request, signal);
    if (command === 'CHECK') return check(context, type, request, signal);
    if (rule === undefined) return Promise.resolve(refused(noRule(command, type, program)));
    if (command === 'ADD') return add(context, rule, request, signal);
    return command === 'GC' ? gc(context, rule, request, signal) : status(context, rule, request, signal);
  }

  async function answerRequest(
    type: string,
    request: NetworkRequest,
    netnsOverride: boolean,
    outer: AbortSignal | undefined,
  ): Promise<Answer> {
    const { command, network, containerId, ifName } = request;
    const began = clock.elapsed();
    const limit = stepDeadline(clock, command === 'STATUS' ? STATUS_DEADLINE : DEADLINE, outer);
    let answer: VerbAnswer;
    try {
      answer = await serve(type, request, netnsOverride, limit.signal);
    } catch (error) {
      answer = refused(faultOfError(error));
    } finally {
      limit.end();
    }
    const seconds = (clock.elapsed() - began) / 1000;
    const code = answer.ok ? 0 : answer.fault.code;
    count?.of(command, type, String(code)).add();
    duration?.of(command, type).observe(seconds);
    if (!answer.ok) {
      const { msg, details } = answer.fault;
      log(`${command} failed`, { rule: type, network, containerId, ifName, code, error: msg, details });
    }
    return answer.ok ? { exitCode: 0, stdout: answer.stdout, stderr: '' } : faultAnswer(answer.fault);
  }

  return {
    async invoke({ environment, stdin }, signal) {
      const type = environment.get('TYPE') ?? '';
      const invocation = readInvocation(environment, stdin);
      switch (invocation.kind) {
        case 'about':
          return { exitCode: 0, stdout: '', stderr: aboutText(type, options.version ?? '') };
        case 'version':
          return { exitCode: 0, stdout: VERSION_ANSWER, stderr: '' };
        case 'fault':
          return faultAnswer(invocation.fault);
        case 'request':
          return answerRequest(type, invocation.request, invocation.netnsOverride, signal);
      }
    },
    setProgram(next) {
      program = next;
      nodes.rulesChanged(next.rules);
    },
    resume() {
      nodes.resume(program.rules);
      context.podAnnotator.resume((id) => performer.record(id) !== undefined);
    },
    nodeFaults: () => [...nodes.faults()],
    removeNodeSteps: (record) => nodes.remove(record),
    async close() {
      await nodes.close();
      context.podAnnotator.close();
      context.answered.close?.();
    },
  };
}

function noRule(command: string, type: string, { rules }: NetworkProgram): CniFault {
  const known = rules.map(({ name }) => name).join(', ');
  return fault(
    command === 'STATUS' ? FAULT_CODES.notAvailable : FAULT_CODES.noRule,
    `there is no NetworkRule named ${type}`,
    known === '' ? 'the bundle has no network rules' : `the bundle has ${known}`,
  );
}

/** Why a namespace is none that a container may have. CNI: pkg/skel/skel.go, pluginMain. */
function checkNetns(netns: NetnsIdentity, { command, netns: path }: NetworkRequest): CniFault | undefined {
  if ((command !== 'ADD' && command !== 'DEL') || path === '') return undefined;
  const given = netns.of(path);
  if (given === undefined) return undefined;
  const own = netns.own();
  if (own === undefined) return fault(FAULT_CODES.invalidNetns, "get plugin's netns failed");
  return given === own ? fault(FAULT_CODES.invalidNetns, "plugin's netns and netns from CNI_NETNS should not be the same") : undefined;
}
