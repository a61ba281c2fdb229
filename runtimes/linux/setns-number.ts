/** Numbers of the system call `setns`, by Node's name of the processor. */
const SETNS: Readonly<Partial<Record<NodeJS.Architecture, number>>> = { x64: 308, arm64: 268, riscv64: 268, s390x: 339, ppc64: 350 };

/** Number of the system call `setns`, for languages that have no name for it; undefined where it is not known. */
export const setnsNumber = (arch: NodeJS.Architecture = process.arch): number | undefined => SETNS[arch];
