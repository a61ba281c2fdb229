import { defaulted, oneOf } from '../../text/shape.ts';
import type { Netns } from '../effect.ts';
import type { StepContext } from '../operation.ts';

/*
 * Operations that change what is there already do so on the host or in the container: `in` of their arguments.
 */

interface Placed {
  readonly in: 'host' | 'container';
}

/** The argument `in`. */
export const place = (doc: string) => defaulted({ ...oneOf('host', 'container'), doc }, 'host');

/** The network namespace that arguments are about. */
export const netnsOf = (args: Placed, { netns }: Pick<StepContext, 'netns'>): Netns => (args.in === 'host' ? undefined : netns);

/** Whether that namespace does not exist any more, and with it all that was changed in it. */
export const isGone = (args: Placed, { netnsGone }: Pick<StepContext, 'netnsGone'>): boolean => args.in === 'container' && netnsGone;

/** For the end of a description. */
export const describePlace = (args: Placed): string => (args.in === 'host' ? '' : ' in the container');
