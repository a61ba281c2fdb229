import type { Requirement } from '../../engine/step/requirement.ts';
import type { HostHandler } from '../linux/performer.ts';
import { missingPrivileges } from '../linux/privileges.ts';

/** Nearly every step goes through these; what else a rule needs, its own requirements say. */
const PROGRAMS: readonly Requirement[] = ['ip', 'nsenter'].map((name) => ({ kind: 'program', name }));

/** What any network needs and the host, or this process, has not, in words. `privileges`: those that this process lacks. */
export async function missingForNetworks(
  host: Pick<HostHandler, 'missing'>,
  privileges: () => readonly string[] = missingPrivileges,
): Promise<readonly string[]> {
  const lacking = privileges();
  const programs = await host.missing(PROGRAMS);
  return [
    ...(lacking.length === 0
      ? []
      : [`this process may not change networks, it lacks ${lacking.join(' and ')}: run it as root, or privileged`]),
    ...programs.map(({ message }) => message),
  ];
}
