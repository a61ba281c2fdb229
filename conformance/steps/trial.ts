import { setTimeout as delay } from 'node:timers/promises';
import { type NetworkNode, startNode } from '../cni/node.ts';
import { buildMortal, MortalProcess } from './mortal-process.ts';
import { POD } from './plans.ts';
import { difference, readState } from './settled-state.ts';

/** Milliseconds until the kernel has ended what it does behind the back of `ip link delete`. */
const SETTLING = 5000;
/** Folder of the journal. */
export const JOURNAL = '/run/flb-journal';

/** What plans find on the node. Forwarding is on, as steps leave it on. */
const FURNISH = `set -e
mkdir -p /run/flb ${JOURNAL}
printf old > /run/flb/old
ip link add up0 type veth peer name up1
ip link add dev0 type veth peer name dev1
ip address add 192.0.2.1/24 dev up0
for link in up0 up1; do ip link set "$link" up; done
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
`;

/** A node with its furniture, and processes that live and die in it. */
export class Trial {
  readonly node: NetworkNode;
  readonly #program: string;
  #before: readonly string[] = [];
  #spare: MortalProcess | undefined;

  private constructor(node: NetworkNode, program: string) {
    this.node = node;
    this.#program = program;
  }

  static async start(signal: AbortSignal): Promise<Trial> {
    const node = await startNode('flb-steps', { signal });
    const trial = new Trial(node, await buildMortal(node.folder));
    await node.expect('sh', ['-c', FURNISH]);
    await trial.addPod();
    return trial;
  }

  /** A pod with a link of its own. */
  async addPod(): Promise<void> {
    await this.node.addPod(POD);
    await this.node.expect('ip', ['link', 'add', 'eth9', 'type', 'veth', 'peer', 'name', 'eth8'], { pod: POD });
    await this.node.expect('ip', ['link', 'set', 'eth9', 'up'], { pod: POD });
  }

  /** A process; the next one is loaded meanwhile. */
  process(): MortalProcess {
    const process = this.#spare ?? new MortalProcess(this.node, this.#program);
    this.#spare = new MortalProcess(this.node, this.#program);
    return process;
  }

  /** Takes what there is now for what has to be there in the end. Links need a moment for their addresses of IPv6. */
  async remember(): Promise<void> {
    for (let previous: string | undefined; ; await delay(200)) {
      this.#before = await readState(this.node, [POD]);
      const now = this.#before.join('\n');
      if (now === previous && !now.includes('"tentative"')) return;
      previous = now;
    }
  }

  /** What differs from then, once the kernel has settled. `isShared`: facts that may have come. */
  async difference(
    options: { readonly isShared?: (line: string) => boolean; readonly pods?: readonly string[] } = {},
  ): Promise<string | undefined> {
    const { isShared = () => false, pods = [POD] } = options;
    const before = pods.includes(POD) ? this.#before : this.#before.filter((line) => !line.startsWith(POD));
    for (const end = Date.now() + SETTLING; ; await delay(50)) {
      const now = await readState(this.node, pods);
      const had = new Set(before);
      const different = difference(
        before,
        now.filter((line) => had.has(line) || !isShared(line)),
      );
      if (different === undefined || Date.now() > end) return different;
    }
  }

  /** Waits until no program works in the node that a dead process has left behind. */
  async orphansGone(): Promise<void> {
    for (const end = Date.now() + SETTLING; Date.now() < end; await delay(5)) {
      const { stdout } = await this.node.run('sh', ['-c', 'cat /proc/[0-9]*/comm']);
      if (!/^(ip|tc|bridge|nft|nsenter|iptables.*)$/m.test(stdout)) return;
    }
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await this.#spare?.stop();
    await this.node.stop();
  }
}
