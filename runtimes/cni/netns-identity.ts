import { statSync } from 'node:fs';

/** Tells network namespaces apart. */
export interface NetnsIdentity {
  /** The namespace that a path stands for; undefined where it can't be opened. */
  of(path: string): string | undefined;
  /** That of this process; undefined where that is not known. */
  own(): string | undefined;
}

/** By device and inode, as the official plugins do. CNI: pkg/ns/ns_linux.go, CheckNetNS. */
export const kernelNetns: NetnsIdentity = { of: identityOf, own: () => identityOf('/proc/self/ns/net') };

function identityOf(path: string): string | undefined {
  try {
    const found = statSync(path, { bigint: true });
    return `${found.dev}:${found.ino}`;
  } catch {
    return undefined;
  }
}
