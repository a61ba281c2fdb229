import { existsSync } from 'node:fs';
import type { MissingRequirement, Requirement } from '../../engine/step/requirement.ts';
import type { Clock } from '../host/clock.ts';
import { findProgram } from './child.ts';
import type { ProgramRunner } from './run-program.ts';
import { readSysctl } from './sysctl.ts';

type Single = Exclude<Requirement, { kind: 'any-of' }>;

/** Milliseconds after which what is missing is looked for again: somebody may have installed it. What is there stays. */
const KEEP_MISSING = 10_000;

/** Names of kernel things: they become words of commands. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** Packages of programs, where the program's name is not the package's. */
const PACKAGES: ReadonlyMap<string, string> = new Map([
  ['ip', 'iproute2'],
  ['tc', 'iproute2'],
  ['bridge', 'iproute2'],
  ['nft', 'nftables'],
  ['nsenter', 'util-linux'],
  ['unshare', 'util-linux'],
  ['ip6tables', 'iptables'],
  ['iptables-restore', 'iptables'],
]);

/** Options and modules of link types, where they don't follow from the name. */
const LINK_TYPES: ReadonlyMap<string, readonly [option: string, module: string]> = new Map([
  ['vlan', ['CONFIG_VLAN_8021Q', '8021q']],
  ['vrf', ['CONFIG_NET_VRF', 'vrf']],
  ['tap', ['CONFIG_TUN', 'tun']],
]);

/**
 * Finds out what this host lacks, by trying it in a network namespace that is gone afterwards: only then is a module loaded that would be
 * loaded at the real attempt, and a configuration that can't be read does not matter. Where it can't be tried, nothing counts as missing.
 */
export class Probe {
  readonly #clock: Clock;
  readonly #runner: ProgramRunner;
  readonly #known = new Map<string, { readonly since: number; readonly answer: Promise<string | undefined> }>();

  constructor(clock: Clock, runner: ProgramRunner) {
    this.#clock = clock;
    this.#runner = runner;
  }

  /** Those that the host has not; of several for the same reason, the first. */
  async missing(requirements: readonly Requirement[]): Promise<readonly MissingRequirement[]> {
    const answers = await Promise.all(requirements.map(async (requirement) => ({ requirement, message: await this.#ask(requirement) })));
    const missing = new Map<string, MissingRequirement>();
    for (const { requirement, message } of answers) {
      if (message !== undefined && !missing.has(message)) missing.set(message, { requirement, message });
    }
    return [...missing.values()];
  }

  /** Looks for everything anew when it is asked for next. */
  forget(): void {
    this.#known.clear();
  }

  async #ask(requirement: Requirement): Promise<string | undefined> {
    if (requirement.kind !== 'any-of') return this.#askOne(requirement);
    const messages: string[] = [];
    for (const each of requirement.requirements) {
      const message = await this.#ask(each);
      if (message === undefined) return undefined;
      messages.push(message);
    }
    return `one of these is needed: ${messages.join('; or ')}`;
  }

  async #askOne(requirement: Single): Promise<string | undefined> {
    const key = [requirement.kind, requirement.name, requirement.kind === 'link-type' && requirement.option].join(' ');
    const known = this.#known.get(key);
    if (known !== undefined) {
      const message = await known.answer;
      if (message === undefined || this.#clock.elapsed() - known.since < KEEP_MISSING) return message;
    }
    const answer = this.#look(requirement);
    this.#known.set(key, { since: this.#clock.elapsed(), answer });
    return answer;
  }

  async #look(requirement: Single): Promise<string | undefined> {
    const { kind, name } = requirement;
    if (kind === 'program') return findProgram(name) === undefined ? noProgram(name) : undefined;
    if (kind === 'sysctl') return (await readSysctl(name)) === undefined ? noKey(name) : undefined;
    if (!NAME.test(name)) return `${JSON.stringify(name.slice(0, 40))} is not a name of the kernel's`;
    switch (kind) {
      case 'link-type': {
        if (name === 'tun' || name === 'tap') return existsSync('/dev/net/tun') ? undefined : noTun();
        const said = await this.#try('ip', `ip link add probe0 type ${name}`);
        // Another failure, as of arguments that were not given, says that the type is known.
        if (/Unknown device type|Operation not supported/.test(said)) {
          const [config, module] = LINK_TYPES.get(name) ?? [`CONFIG_${name.toUpperCase()}`, name];
          return `the kernel has no links of type ${name} (${config}, module ${module})`;
        }
        const { option } = requirement;
        if (option === undefined) return noProgramIn(said);
        if (!NAME.test(option)) return `${JSON.stringify(option.slice(0, 40))} is not a name of the kernel's`;
        const saidOfOption = await this.#try('ip', `ip link add probe0 type ${name} ${option} 1`);
        if (!/Operation not supported/.test(saidOfOption)) return noProgramIn(said);
        return `the kernel has no ${option} of links of type ${name} (CONFIG_${name.toUpperCase()}_${option.toUpperCase()})`;
      }
      case 'qdisc': {
        const parent = name === 'ingress' || name === 'clsact' ? '' : 'root ';
        const said = await this.#try('tc', `tc qdisc add dev lo ${parent}${name}`);
        if (!/qdisc kind is unknown|Unknown qdisc/.test(said)) return noProgramIn(said);
        const option = `CONFIG_NET_SCH_${(name === 'clsact' ? 'ingress' : name).toUpperCase()}`;
        return `the kernel has no queueing discipline ${name} (${option}, module sch_${name === 'clsact' ? 'ingress' : name})`;
      }
      case 'nft-family': {
        const said = await this.#try('nft', `nft add table ${name} probe`);
        if (said.includes('syntax error')) return `nft does not know tables of the family ${name}: a newer package nftables may`;
        if (!/not supported|Unable to initialize|Could not process rule/i.test(said)) return noProgramIn(said);
        return `the kernel has no tables of the family ${name} (CONFIG_NF_TABLES, CONFIG_NF_TABLES_${name.toUpperCase()}, module nf_tables)`;
      }
    }
  }

  /** What a command says in a namespace of its own; nothing where there can't be one. */
  async #try(program: string, command: string): Promise<string> {
    if (findProgram(program) === undefined) return `missing ${program}`;
    if (findProgram('unshare') === undefined) return '';
    try {
      const args = ['--net', ...command.split(' ')];
      const { stderr } = await this.#runner.run({ program: 'unshare', arguments: args });
      return stderr;
    } catch {
      return '';
    }
  }
}

const noProgram = (name: string): string => {
  const from = PACKAGES.get(name) ?? name;
  return `the program ${name} is not installed (package ${from})`;
};

const noProgramIn = (said: string): string | undefined => {
  const program = /^missing (\S+)$/.exec(said)?.[1];
  return program === undefined ? undefined : noProgram(program);
};

const noKey = (name: string): string => {
  const from = name.startsWith('net/bridge/') ? ' (CONFIG_BRIDGE_NETFILTER, module br_netfilter)' : '';
  return `the kernel has no parameter ${name.replaceAll('/', '.')}${from}`;
};

const noTun = (): string => 'there is no /dev/net/tun (CONFIG_TUN, module tun)';
