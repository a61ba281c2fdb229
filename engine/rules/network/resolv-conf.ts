import type { CniDns } from './protocol/result.ts';

/**
 * The resolver's configuration that a `resolv.conf` gives, as host-local reads it: a line that is not understood says nothing, the last
 * `domain` counts. Official plugins: plugins/ipam/host-local/dns.go.
 */
export function readResolvConf(text: string): CniDns {
  const nameservers: string[] = [];
  const search: string[] = [];
  const options: string[] = [];
  let domain = '';
  for (const line of text.split('\n')) {
    const [word, ...values] = line.trim().split(/\s+/);
    const [value] = values;
    if (value === undefined) continue;
    if (word === 'nameserver') nameservers.push(value);
    else if (word === 'domain') domain = value;
    else if (word === 'search') search.push(...values);
    else if (word === 'options') options.push(...values);
  }
  return {
    ...(nameservers.length > 0 && { nameservers }),
    ...(domain !== '' && { domain }),
    ...(search.length > 0 && { search }),
    ...(options.length > 0 && { options }),
  };
}
