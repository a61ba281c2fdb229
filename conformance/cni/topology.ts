import { expectCommand } from './command.ts';
import { type NetworkNode, startNode } from './node.ts';

/** Addresses of the wire between machines. Those outside know no way to any pod: only translated connections get an answer. */
export const WIRE = {
  4: { subnet: '192.0.2.0/24', address: (index: number) => `192.0.2.${index}`, length: 24 },
  6: { subnet: '2001:db8:ffff::/64', address: (index: number) => `2001:db8:ffff::${index}`, length: 64 },
} as const;

/** The link to the wire, in each machine. */
export const UPLINK = 'uplink0';

/** Connects machines by one wire: the one at index i of the list has `WIRE[...].address(i + 1)`. */
export async function connect(nodes: readonly NetworkNode[]): Promise<void> {
  const [first, second, ...more] = nodes;
  if (first === undefined || second === undefined || more.length > 0) throw new Error('a wire has two ends');
  const [left, right] = [first, second].map(({ pid }) => pid) as [number, number];
  // From outside of both, because only there both process ids mean something.
  await expectCommand('nsenter', [
    ...['-t', String(left), '--net', '--'],
    ...['ip', 'link', 'add', UPLINK, 'type', 'veth', 'peer', 'name', UPLINK, 'netns', String(right)],
  ]);
  for (const [index, node] of nodes.entries()) {
    const batch = [
      `address add ${WIRE[4].address(index + 1)}/${WIRE[4].length} dev ${UPLINK}`,
      `address add ${WIRE[6].address(index + 1)}/${WIRE[6].length} dev ${UPLINK} nodad`,
      `link set ${UPLINK} up`,
    ];
    await node.expect('ip', ['-batch', '-'], { stdin: `${batch.join('\n')}\n` });
  }
}

/** A machine and another that stands for the world outside, which knows no way to pods. */
export async function startNodeWithOutside(
  name: string,
  options: { readonly signal?: AbortSignal },
): Promise<{ readonly node: NetworkNode; readonly outside: NetworkNode; stop(): Promise<void> }> {
  const node = await startNode(name, options);
  const outside = await startNode(`${name}-outside`, options);
  await connect([node, outside]);
  return { node, outside, stop: async () => void (await Promise.all([node.stop(), outside.stop()])) };
}
