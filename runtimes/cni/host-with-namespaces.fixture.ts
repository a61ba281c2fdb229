import { createHost, type Host, type HostOptions } from '../linux/host.ts';

/** This machine, on which every network namespace is there; sessions begin when `held` allows it. */
export function hostWithNamespaces(options: HostOptions, held: Promise<void> = Promise.resolve()): Host {
  const host = createHost(options);
  return {
    perform: host.perform.bind(host),
    missing: host.missing.bind(host),
    probeAnew: host.probeAnew.bind(host),
    close: host.close.bind(host),
    session: () => held.then(() => host.session(undefined)),
  };
}
