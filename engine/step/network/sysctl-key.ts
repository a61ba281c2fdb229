/*
 * Keys of the kernel in rules, as people write them: `net.ipv4.conf.IFNAME.arp_filter` or `net/ipv4/conf/IFNAME/arp_filter`.
 */

/**
 * The key with slashes, and the interface's name where the rule says IFNAME. With a slash in it, dots are part of a name (`eth0.10`);
 * without, each dot is a slash. CNI: plugins/meta/tuning/tuning.go getSysctlFilename.
 */
export function sysctlKey(text: string, interfaceName?: string): string {
  const key = text.includes('/') ? text : text.replaceAll('.', '/');
  return interfaceName === undefined ? key : key.replaceAll('IFNAME', interfaceName);
}

/** Why the key must not be written, or undefined: only what is below `net` belongs to a network namespace. */
export function sysctlObjection(text: string): string | undefined {
  const key = sysctlKey(text);
  const segments = key.split('/');
  if (!/^[A-Za-z0-9._/@-]+$/.test(key)) return `${JSON.stringify(text)} is not the key of a kernel parameter`;
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return `${JSON.stringify(text)} is not the key of a kernel parameter`;
  }
  if (segments[0] !== 'net' || segments.length < 2) return `${JSON.stringify(text)} is not below net, the part of a network namespace`;
  return undefined;
}

/** Why the value can't be written, or undefined. */
export const sysctlValueObjection = (value: string): string | undefined =>
  /^[ -~\t]{1,256}$/.test(value) ? undefined : `${JSON.stringify(value.slice(0, 40))} is not one line of printable characters`;
