import { resolve } from 'node:path';
import { askDaemon, type DaemonStatus, type GcQuestion, type GcReport } from '../cni/ask-daemon.ts';
import { NoAnswerError } from '../cni/invoke.ts';
import type { ParsedArguments } from './command.ts';
import { type CommandRun, EXIT, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';

/** `fairlead cni status`. */
export const runCniStatus: CommandRun = async (args, context) => {
  const status = await answerOf(args, context, (socket) => askDaemon(socket, 'status'));
  context.out.write(args.text('output') === 'json' ? `${JSON.stringify(status, undefined, 2)}\n` : statusText(status));
  return isWell(status) ? EXIT.ok : EXIT.findings;
};

/** `fairlead cni gc`. */
export const runCniGc: CommandRun = async (args, context) => {
  const report = await answerOf(args, context, (socket) => askDaemon(socket, questionOf(args)));
  context.out.write(args.text('output') === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : gcText(report));
  return report.left.length === 0 ? EXIT.ok : EXIT.findings;
};

function questionOf(args: ParsedArguments): GcQuestion {
  if (args.on('all')) return args.on('forget') ? 'gc all forget' : 'gc all';
  return args.on('forget') ? 'gc forget' : 'gc';
}

async function answerOf<T>(args: ParsedArguments, context: CommandContext, ask: (socket: string) => Promise<T>): Promise<T> {
  try {
    return await ask(resolve(context.cwd, args.text('socket')!));
  } catch (error) {
    if (error instanceof NoAnswerError)
      throw new UsageError(`no daemon answers: ${error.message}`, 'fairlead cni serve is the daemon; --socket names its socket');
    throw error;
  }
}

function isWell({ notReady, bundle, missing: lacking, rules, attachments, spooled }: DaemonStatus): boolean {
  return (
    notReady === undefined &&
    lacking.length === 0 &&
    bundle.failure === undefined &&
    rules.every(({ missing, faults }) => missing.length + faults.length === 0) &&
    attachments.every(({ state }) => state !== 'undoing') &&
    spooled === 0
  );
}

function statusText(status: DaemonStatus): string {
  const { bundle, rules, networks, attachments, spooled } = status;
  const left = attachments.filter(({ state }) => state === 'undoing');
  const lines = [
    `daemon ${status.version} on ${status.node || 'this node'}: ${status.notReady ?? 'ready'}`,
    `bundle ${[bundle.name, bundle.version].filter(Boolean).join(' ')}${bundle.failure === undefined ? '' : `; the newest version of its files does not serve: ${bundle.failure}`}`,
    ...status.missing.map((each) => `networks can't be made: ${each}`),
    ...rules.map(({ name, missing, faults }) =>
      missing.length === 0
        ? `rule ${name}: ${faults.join('; ') || 'well'}`
        : `rule ${name}: the host lacks what it needs: ${missing.join('; ')}`,
    ),
    ...networks.map(
      ({ name, rules: of, attachments: count, addresses }) =>
        `network ${name} (${of.join(', ')}): ${count} attachment${count === 1 ? '' : 's'}` +
        addresses.map(({ ranges, free, total }) => `; ${free} of ${total} addresses left in ${ranges}`).join(''),
    ),
    ...left.map(
      ({ network, containerId, ifName, reason }) =>
        `left: ${ifName} of container ${containerId} in network ${network} could not be removed whole${reason === undefined ? '' : `: ${reason}`}; it is tried again`,
    ),
    ...(spooled === 0 ? [] : [`${spooled} DEL${spooled === 1 ? '' : 's'} that came while there was no daemon wait`]),
  ];
  const rows = attachments.map(({ network, rule, containerId, ifName, addresses, netns, since }) => [
    network,
    rule,
    containerId,
    ifName,
    addresses.join(',') || '-',
    new Date(since).toISOString(),
    netns || '-',
  ]);
  return `${lines.join('\n')}\n${rows.length === 0 ? '' : `\n${columns([['NETWORK', 'RULE', 'CONTAINER', 'INTERFACE', 'ADDRESSES', 'SINCE', 'NAMESPACE'], ...rows])}`}`;
}

function gcText({ removed, left, forgotten }: GcReport): string {
  const lines = [
    ...removed.map((what) => `removed ${what}\n`),
    ...forgotten.map((what) => `forgotten: ${what}\n`),
    ...left.map((what) => `left: ${what}\n`),
  ];
  return lines.length === 0 ? 'nothing was left\n' : lines.join('');
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
