import { ownText } from '../../engine/object/json.ts';
import { attachmentOfSubject } from '../../engine/rules/network/attachment.ts';
import type { AddressRequest, NetworkRule } from '../../engine/rules/network/program.ts';
import { describeFault } from '../../engine/rules/network/protocol/fault.ts';
import type { ActiveBundle, BundleSource } from '../host/bundle-watch.ts';
import { errorMessage } from '../host/error-message.ts';
import type { Host } from '../linux/host.ts';
import type { Performer, PlanRecord } from '../linux/performer.ts';
import type { AddressAllocator, AddressUsage } from './addresses/allocator.ts';
import type { AddressStatus, DaemonStatus, GcReport } from './ask-daemon.ts';
import { missingForNetworks } from './missing-for-networks.ts';
import type { Plugin } from './plugin.ts';
import type { Spool } from './spool.ts';
import type { UndoRetries } from './undo-retries.ts';
import { providersOfRecord } from './verbs/address-provider.ts';
import type { Answer } from './wire.ts';

/** What a daemon knows of itself. */
export interface QuestionContext {
  readonly bundle: BundleSource & { failure?(): string | undefined };
  readonly nodeName: string;
  readonly version?: string;
  readonly notReady: string | undefined;
  readonly host: Host;
  readonly performer: Performer;
  readonly plugin: Plugin;
  readonly addresses: AddressAllocator;
  readonly spool: Spool;
  readonly retries: Pick<UndoRetries, 'reason'>;
  /** Default: those of this process. */
  readonly privileges?: () => readonly string[];
}

/** Answers a question about the daemon itself. */
export async function answerQuestion(question: string, about: QuestionContext): Promise<Answer> {
  switch (question) {
    case 'status':
      return json(await status(about));
    case 'gc':
    case 'gc all':
    case 'gc forget':
    case 'gc all forget':
      return json(await collect(about, { isAll: question.includes(' all'), forgets: question.endsWith(' forget') }));
    default:
      return { exitCode: 2, stdout: '', stderr: `this daemon does not know the question ${JSON.stringify(question)}\n` };
  }
}

async function status(about: QuestionContext): Promise<DaemonStatus> {
  const { bundle, host, performer, plugin, nodeName, version = '', notReady, spool } = about;
  const active = bundle.current();
  const failed = bundle.failure?.();
  const attachments = [...performer.records()].flatMap((record) => {
    const attachment = attachmentOfSubject(record.subject);
    if (attachment === undefined) return [];
    const { id, rule, netns = '', since, state, steps } = record;
    const reason = state === 'undoing' ? about.retries.reason(id) : undefined;
    const given = steps.flatMap(({ outputs }) => (Array.isArray(outputs?.['addresses']) ? outputs['addresses'] : []));
    const addresses = [...new Set(given.filter((each) => typeof each === 'string'))];
    return [{ ...attachment, rule, netns, since, state, addresses, ...(reason === undefined ? {} : { reason }) }];
  });
  return {
    version,
    node: nodeName,
    ...(notReady === undefined ? {} : { notReady }),
    bundle: { ...bundleStatus(active), ...(failed === undefined ? {} : { failure: failed }) },
    rules: await Promise.all(
      (active?.program.network.rules ?? []).map(async ({ name, requirements }) => ({
        name,
        missing: (await host.missing(requirements)).map(({ message }) => message),
        faults: plugin.nodeFaults().flatMap(({ rule, fault }) => (rule === name ? [describeFault(fault)] : [])),
      })),
    ),
    missing: await missingForNetworks(host, about.privileges),
    networks: await networks(about),
    attachments,
    spooled: spool.waiting(),
  };
}

async function networks({ performer, addresses }: QuestionContext): Promise<DaemonStatus['networks']> {
  const found = new Map<string, { rules: Set<string>; attachments: number; requests: Map<string, AddressRequest> }>();
  for (const record of performer.records()) {
    const network = attachmentOfSubject(record.subject)?.network;
    if (network === undefined) continue;
    const entry = found.get(network) ?? { rules: new Set<string>(), attachments: 0, requests: new Map<string, AddressRequest>() };
    found.set(network, entry);
    entry.rules.add(record.rule);
    entry.attachments++;
    for (const provider of providersOfRecord(record)) {
      if (provider.kind === 'allocator')
        entry.requests.set(JSON.stringify([provider.request.ranges, provider.request.dataDir]), provider.request);
    }
  }
  return Promise.all(
    [...found].map(async ([name, { rules, attachments, requests }]) => ({
      name,
      rules: [...rules],
      attachments,
      addresses: (await Promise.all([...requests.values()].map((request) => addresses.usage(request)))).flat().map(addressStatus),
    })),
  );
}

interface CollectOptions {
  /** Also what is of rules that are not there any more, and what the node has for networks to which nobody is attached. */
  readonly isAll: boolean;
  /** Forget what can't be undone now either. */
  readonly forgets: boolean;
}

async function collect({ bundle, performer, plugin, host, spool }: QuestionContext, { isAll, forgets }: CollectOptions): Promise<GcReport> {
  // Somebody looks: what the host lacked may be there now.
  host.probeAnew();
  const removed: string[] = [];
  const left: string[] = [];
  const forgotten: string[] = [];
  for (const { id, rule } of [...performer.records()]) {
    // What is being performed is somebody's who waits for it; asked anew, as this takes its time.
    if (performer.record(id)?.state !== 'undoing') continue;
    try {
      await performer.undo(id);
    } catch (error) {
      const what = `${rule}: ${errorMessage(error)}`;
      (forgets && (await performer.forget(id)) ? forgotten : left).push(what);
    }
  }
  const kept = await spool.perform();
  if (kept.left > 0) left.push(`${kept.left} DELs that came while there was no daemon`);
  const rules = bundle.current()?.program.network.rules ?? [];
  for (const record of unusedNodeRecords(performer, isAll ? [] : rules)) {
    const what = `what rule ${record.rule} made on the node for network ${ownText(record.subject, 'network')}`;
    await plugin.removeNodeSteps(record).then(
      () => removed.push(what),
      (error: unknown) => left.push(`${what}: ${errorMessage(error)}`),
    );
  }
  const collected = await performer.collect(isAll ? {} : { rules: rules.map(({ name }) => name) });
  removed.push(...collected.removed.map(({ what }) => what));
  return { removed, left: [...left, ...collected.left], forgotten };
}

/** Steps for the node of networks to which nobody is attached, by rules that are not among these. */
function unusedNodeRecords(performer: Performer, rules: readonly NetworkRule[]): readonly PlanRecord[] {
  const records = [...performer.records()];
  const used = new Set(records.flatMap(({ subject }) => attachmentOfSubject(subject)?.network ?? []));
  const kept = new Set(rules.flatMap(({ name, node }) => (node === undefined ? [] : [name])));
  return records.filter(
    ({ rule, subject, state }) =>
      subject['kind'] === 'node' && state === 'performed' && !used.has(ownText(subject, 'network')) && !kept.has(rule),
  );
}

const addressStatus = ({ ranges, total, taken }: AddressUsage): AddressStatus => ({
  ranges,
  total: String(total),
  free: String(total > taken ? total - taken : 0n),
});

const json = (value: unknown): Answer => ({ exitCode: 0, stdout: JSON.stringify(value), stderr: '' });

function bundleStatus(active: ActiveBundle | undefined): DaemonStatus['bundle'] {
  return { name: active?.bundle.name ?? '', version: active?.bundle.version ?? '', generation: active?.generation ?? 0 };
}
