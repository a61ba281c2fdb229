import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { COMMANDS } from '../runtimes/cli/commands.ts';

interface Container {
  readonly args: readonly string[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly mountPropagation?: string }[];
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly initContainers: readonly [Container];
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly hostPath?: { readonly path: string } }[];
}

describe('docs/networks.yaml', () => {
  const text = readFileSync(join(import.meta.dirname, 'networks.yaml'), 'utf8');
  const documents = parseAllDocuments(text);
  const objects = documents.map((document) => document.toJS() as { kind: string; spec: { template: { spec: PodSpec } } });
  const { spec } = objects.find(({ kind }) => kind === 'DaemonSet')!.spec.template;
  const [install] = spec.initContainers;
  const [daemon] = spec.containers;
  const command = (container: Container) => COMMANDS.find(({ name }) => name === container.args.slice(0, 2).join(' '))!;
  const standard = (container: Container, option: string) => command(container).options.find(({ name }) => name === option)!.default;

  it('is YAML', () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  });

  it.each([
    ['install', install],
    ['serve', daemon],
  ])('calls cni %s with options that it has', (name, container) => {
    expect(command(container).name).toBe(`cni ${name}`);
    const used = container.args.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
    expect(command(container).options.map((option) => option.name)).toEqual(expect.arrayContaining(used));
  });

  it('has the folders of the node where both commands expect them', () => {
    const path = (mountPath: string) => {
      const mount = daemon.volumeMounts.find((each) => each.mountPath === mountPath);
      return spec.volumes.find(({ name }) => name === mount?.name)?.hostPath?.path;
    };
    for (const folder of [
      standard(daemon, 'state')!,
      join(standard(daemon, 'socket')!, '..'),
      '/var/lib/cni',
      '/run/netns',
      '/opt/cni/bin',
    ])
      expect(path(folder), folder).toBe(folder);
    expect(daemon.volumeMounts.find(({ name }) => name === 'netns')?.mountPropagation).toBe('HostToContainer');
    for (const option of ['state', 'socket']) expect(standard(install, option)).toBe(standard(daemon, option));
  });

  it('lets the daemon end what was begun', () => {
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(Number(standard(daemon, 'grace')));
  });
});
