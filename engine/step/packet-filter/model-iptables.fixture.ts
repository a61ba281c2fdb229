import { EffectError } from '../effect.ts';

/** Tables of iptables on paper. */
export class ModelIptables {
  #tables = new Map([
    [
      'nat',
      new Map([
        ['PREROUTING', []],
        ['OUTPUT', []],
        ['POSTROUTING', []],
      ] as [string, string[]][]),
    ],
    [
      'filter',
      new Map([
        ['INPUT', []],
        ['FORWARD', []],
        ['OUTPUT', []],
      ] as [string, string[]][]),
    ],
  ]);

  save(table: string): string {
    const chains = [...this.#tables.get(table)!];
    return [
      `*${table}`,
      ...chains.map(([name]) => `:${name} - [0:0]`),
      ...chains.flatMap(([name, rules]) => rules.map((rule) => `-A ${name} ${rule}`)),
      'COMMIT\n',
    ].join('\n');
  }

  /** @throws EffectError as iptables-restore would fail, and changes nothing. */
  restore(script: string): void {
    const before = this.#tables;
    this.#tables = structuredClone(before);
    try {
      let table = new Map<string, string[]>();
      for (const line of script.trimEnd().split('\n')) {
        if (line.startsWith('*')) table = this.#tables.get(line.slice(1))!;
        else if (line !== 'COMMIT') command(table, line);
      }
    } catch (error) {
      this.#tables = before;
      throw error;
    }
  }
}

function command(table: Map<string, string[]>, line: string): void {
  const fail = (): never => {
    throw new EffectError('other', 'iptables-restore: line failed', line);
  };
  const [verb, chain = '', ...words] = line.split(' ');
  const rule = words.join(' ');
  if (verb === '-N') {
    if (table.has(chain) || chain.length > 28) fail();
    table.set(chain, []);
    return;
  }
  const rules = table.get(chain) ?? fail();
  const target = / ?-[jg] (\S+)/.exec(rule)?.[1];
  if ((verb === '-A' || verb === '-I') && target !== undefined && /^(FL-|FAIRLEAD|CNI-)/.test(target) && !table.has(target)) fail();
  switch (verb) {
    case '-A':
      rules.push(rule);
      return;
    case '-I':
      rules.unshift(rule);
      return;
    case '-F':
      rules.length = 0;
      return;
    case '-D':
      if (!rules.includes(rule)) fail();
      rules.splice(rules.indexOf(rule), 1);
      return;
    case '-X':
      if (rules.length > 0 || [...table.values()].flat().some((each) => each.includes(`-j ${chain}`))) fail();
      table.delete(chain);
      return;
    default:
      fail();
  }
}
