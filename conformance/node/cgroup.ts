import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** Control groups of a run, below one name in each hierarchy of the machine. */
export interface CgroupRoot {
  /** As kubelet takes it: `/name`. */
  readonly path: string;
  /** Removes them, once the processes in them are gone. */
  remove(): void;
}

/** Makes a root for the groups of one kubelet. The machine's hierarchies are shared by all namespaces, so it has to be removed. */
export function makeCgroupRoot(name: string): CgroupRoot {
  const folders = hierarchies().map((hierarchy) => join(hierarchy, name));
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true });
    } catch {
      // A hierarchy that may not be written is none that a kubelet would use.
    }
  }
  return { path: `/${name}`, remove: () => folders.forEach(removeGroups) };
}

/** One folder with version 2, one for each controller with version 1. */
function hierarchies(): string[] {
  if (existsSync(join(ROOT, 'cgroup.controllers'))) return [ROOT];
  return readdirSync(ROOT)
    .map((name) => join(ROOT, name))
    .filter((folder) => statSync(folder).isDirectory());
}

/** A group can only be removed when it has none below it; its files go by themselves. */
function removeGroups(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) removeGroups(join(folder, entry.name));
  try {
    rmdirSync(folder);
  } catch {
    // A process in it has not ended yet; whoever runs next makes another.
  }
}
