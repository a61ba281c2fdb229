import { familyOf, formatIpPrefix, parseIpOrCidr } from '../../object/ip-address.ts';
import { type Infer, integer, list, object, optional, string } from '../../text/shape.ts';
import { type Command, EffectError, type Netns, type Steps } from '../effect.ts';
import { command, ip, ip6, tolerating } from '../effects/iproute.ts';
import { type RuleRow, rules } from '../effects/show.ts';
import { remember } from '../effects/step.ts';
import { addedBefore } from '../network/added-before.ts';
import { optionalLinkNameProblems } from '../network/link-name.ts';
import { isGone, netnsOf, place } from '../network/place.ts';
import { ROUTE_PROTOCOL, tableName } from '../network/route.ts';
import { linkName } from '../network/shapes.ts';
import type { ArgumentProblem, Operation } from '../operation.ts';

const shape = object({
  from: optional(string({ doc: 'Network or address that packets come from.', maxLength: 64 })),
  to: optional(string({ doc: 'Network or address that packets go to.', maxLength: 64 })),
  iif: optional(linkName('Interface that packets come in by.')),
  oif: optional(linkName('Interface that packets of a socket bound to it leave by.')),
  fwmark: optional(
    string({
      doc: 'Mark of the firewall, with a mask or without: `0x1`, `0x2000/0x2000`.',
      pattern: /^(0x[0-9a-f]{1,8}|[0-9]{1,10})(\/(0x[0-9a-f]{1,8}|[0-9]{1,10}))?$/,
      patternName: 'a mark',
    }),
  ),
  table: integer({ doc: 'Number of the routing table that is looked up.', minimum: 1, maximum: 2 ** 32 - 1 }),
  priority: integer({ doc: 'Rules are tried from the lowest number up; the main table has 32766.', minimum: 1, maximum: 2 ** 32 - 1 }),
  families: optional(
    list(integer({ minimum: 4, maximum: 6 }), {
      doc: 'IP families, `[4]` or `[4, 6]`, of a rule without addresses; by default 4.',
      maxItems: 2,
    }),
  ),
  in: place('Whose rule it is.'),
});
type Arguments = Infer<typeof shape>;

/** A rule of policy routing, which says which table is looked up for which packets. It can't carry a tag; the same rule of somebody else is a failure. */
export const RULE: Operation<Arguments> = {
  name: 'rule',
  group: 'network',
  doc: 'Which routing table is looked up for which packets.',
  arguments: shape,
  outputs: {},
  lifetime: 'owned',

  validate(args) {
    const problems: ArgumentProblem[] = [...optionalLinkNameProblems(args, 'iif'), ...optionalLinkNameProblems(args, 'oif')];
    for (const key of ['from', 'to'] as const) {
      if (args[key] && parseIpOrCidr(args[key]) === undefined) {
        problems.push({ path: [key], message: `${JSON.stringify(args[key])} is not a network like 10.0.0.0/8` });
      }
    }
    if (problems.length === 0 && familiesOf(args).length === 0) {
      problems.push({ path: [args.to ? 'to' : 'from'], message: 'addresses of a rule are of one family, and of one of its `families`' });
    }
    args.families?.forEach((family, index) => {
      if (family === 5) problems.push({ path: ['families', index], message: 'there are the families 4 and 6' });
    });
    return problems;
  },

  requires: () => [],
  lockKeys: () => [],

  *ensure(args, context) {
    const netns = netnsOf(args, context);
    const added = new Set(addedBefore<number>(context));
    for (const family of familiesOf(args)) {
      const isAgain = added.has(family);
      if (!isAgain) yield* remember({ added: [...added, family] });
      try {
        yield* perform(netns, family, ruleCommand('add', args));
      } catch (error) {
        if (!(error instanceof EffectError && error.code === 'exists')) throw error;
        if (!isAgain) {
          yield* remember({ added: [...added] });
          throw new EffectError('exists', `there is such a rule already, with priority ${args.priority}`, error.tried);
        }
      }
      added.add(family);
    }
    return {};
  },

  *check(args, context) {
    const problems: string[] = [];
    for (const family of familiesOf(args)) {
      const rows = yield* rules(netnsOf(args, context), family);
      if (!rows.some((row) => isRule(row, args)))
        problems.push(`there is no rule with priority ${args.priority} for table ${args.table} (IPv${family})`);
    }
    return problems;
  },

  *undo(args, context) {
    if (isGone(args, context)) return;
    const added = addedBefore<number>(context);
    for (const family of familiesOf(args)) {
      if (!added.includes(family)) continue;
      yield* perform(netnsOf(args, context), family, tolerating(ruleCommand('del', args), 'missing'));
    }
  },

  predict: () => ({}),
  describe: (args) =>
    [
      `rule ${args.priority}:`,
      args.from && `from ${args.from}`,
      args.to && `to ${args.to}`,
      args.iif && `in by ${args.iif}`,
      args.oif && `out by ${args.oif}`,
      args.fwmark && `with mark ${args.fwmark}`,
      `table ${args.table}`,
      args.in === 'container' && 'in the container',
    ]
      .filter(Boolean)
      .join(' '),
};

/** Of its addresses where it has any; none where they contradict. */
function familiesOf(args: Arguments): readonly (4 | 6)[] {
  const chosen = args.families as readonly (4 | 6)[] | undefined;
  const ofAddresses = [args.from, args.to].flatMap((text) => {
    const prefix = text ? parseIpOrCidr(text) : undefined;
    return prefix === undefined ? [] : [familyOf(prefix.address)];
  });
  if (ofAddresses.length === 0) return chosen ?? [4];
  const [first] = ofAddresses as [4 | 6];
  return ofAddresses.every((family) => family === first) && (chosen === undefined || chosen.includes(first)) ? [first] : [];
}

const perform = (netns: Netns, family: 4 | 6, line: Command): Steps<void> => (family === 6 ? ip6 : ip)(netns, line);

const canonical = (text: string): string => formatIpPrefix(parseIpOrCidr(text)!);

const ruleCommand = (verb: 'add' | 'del', args: Arguments): Command =>
  command(
    ...['rule', verb, 'priority', args.priority],
    ...(args.from ? ['from', canonical(args.from)] : []),
    ...(args.to ? ['to', canonical(args.to)] : []),
    ...(args.iif ? ['iif', args.iif] : []),
    ...(args.oif ? ['oif', args.oif] : []),
    ...(args.fwmark ? ['fwmark', args.fwmark] : []),
    ...['table', args.table, 'protocol', ROUTE_PROTOCOL],
  );

const isRule = (row: RuleRow, args: Arguments): boolean =>
  row.priority === args.priority &&
  row.table === tableName(args.table) &&
  row.protocol === String(ROUTE_PROTOCOL) &&
  sameNetwork(row.src, row.srclen, args.from) &&
  sameNetwork(row.dst, row.dstlen, args.to) &&
  (args.iif === undefined || row.iif === args.iif) &&
  (args.oif === undefined || row.oif === args.oif) &&
  isMark(row, args.fwmark ?? '0');

/** The kernel shows a mask only where it is not the whole mark, and nothing of a mark that any packet has. */
function isMark({ fwmark = '0', fwmask = fwmark === '0' ? '0' : WHOLE_MARK }: RuleRow, wanted: string): boolean {
  const [mark = '0', mask = Number(mark) === 0 ? '0' : WHOLE_MARK] = wanted.split('/');
  return Number(fwmark) === Number(mark) && Number(fwmask) === Number(mask);
}

const WHOLE_MARK = '0xffffffff';

function sameNetwork(address: string | undefined, bits: number | undefined, wanted: string | undefined): boolean {
  if (!wanted) return address === undefined || address === 'all';
  const prefix = parseIpOrCidr(wanted)!;
  const shown = address === undefined ? undefined : parseIpOrCidr(bits === undefined ? address : `${address}/${bits}`);
  return shown !== undefined && formatIpPrefix(shown) === formatIpPrefix(prefix);
}
