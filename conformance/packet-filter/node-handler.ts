import { type Command, type Effect, EffectError, type EffectHandler } from '../../engine/step/effect.ts';
import { classifyFailure, failureMessage } from '../../runtimes/linux/failure.ts';
import type { Finished } from '../cni/command.ts';
import type { NetworkNode } from '../cni/node.ts';

/**
 * Performs effects on a node of its own, one program for each, so that what an operation does to a kernel can be seen without doing it
 * to this machine. The node is `host`; a `netns` is the path of a pod of it. Answers as the host's handler does.
 */
export function nodeHandler(node: NetworkNode): EffectHandler & { readonly memory: { value: unknown } } {
  const memory: { value: unknown } = { value: undefined };
  const run = async (command: string, args: readonly string[], stdin?: string, netns?: string): Promise<Finished> =>
    netns === undefined
      ? await node.run(command, args, stdin === undefined ? {} : { stdin })
      : await node.run('nsenter', [`--net=${netns}`, '--', command, ...args], stdin === undefined ? {} : { stdin });

  async function must(command: string, args: readonly string[], stdin?: string, netns?: string): Promise<string> {
    const { exitCode, stdout, stderr } = await run(command, args, stdin, netns);
    if (exitCode === 0) return stdout;
    throw new EffectError(classifyFailure(stderr), failureMessage(stderr), [command, ...args, stdin ?? ''].join(' '));
  }

  async function tolerant(tolerate: Command['tolerate'], work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof EffectError) || !tolerate?.includes(error.code)) throw error;
    }
  }

  async function rows(work: () => Promise<string>): Promise<unknown> {
    try {
      return JSON.parse((await work()) || '[]');
    } catch (error) {
      if (error instanceof EffectError && error.code === 'missing') return [];
      throw error;
    }
  }

  const iptables = (family: 4 | 6): string => (family === 4 ? 'iptables-legacy' : 'ip6tables-legacy');

  async function perform(effect: Effect): Promise<unknown> {
    switch (effect.kind) {
      case 'iproute': {
        const { program, netns, family } = effect;
        const options = family === 6 ? ['-6'] : [];
        for (const { words, tolerate } of effect.commands)
          await tolerant(tolerate, () => must(program, [...options, ...words], undefined, netns));
        return undefined;
      }
      case 'show':
        return await rows(() => must(effect.program, ['-json', '-details', ...effect.words], undefined, effect.netns));
      case 'nft':
        return await tolerant(effect.tolerate, () => must('nft', ['-f', '-'], `${effect.script}\n`, effect.netns));
      case 'nft-list': {
        const found = await rows(() => must('nft', ['-j', '-a', 'list', ...effect.words], undefined, effect.netns));
        return Array.isArray(found) ? found : (found as { readonly nftables: unknown }).nftables;
      }
      case 'iptables':
        return void (await must(`${iptables(effect.family)}-restore`, ['--noflush', '--wait'], effect.script));
      case 'iptables-save':
        return await must(`${iptables(effect.family)}-save`, ['-t', effect.table]);
      case 'sysctl-read':
        return (await must('cat', [`/proc/sys/${effect.key}`], undefined, effect.netns)).trimEnd();
      case 'sysctl-write':
        return void (await must('tee', [`/proc/sys/${effect.key}`], effect.value, effect.netns));
      case 'run':
        return await run(effect.program, effect.arguments, effect.stdin, effect.netns);
      case 'remember':
        memory.value = effect.value;
        return undefined;
      case 'all':
        return await Promise.all(effect.effects.map(perform));
      default:
        throw new EffectError('unsupported', `no ${effect.kind} here`, effect.kind);
    }
  }
  return { perform, memory };
}
