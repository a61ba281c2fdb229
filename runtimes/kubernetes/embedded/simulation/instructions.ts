import { controllerOf } from '../control-loop/kind.ts';
import { parseDuration } from './duration.ts';
import type { Pod } from './kinds.ts';

/** Annotations by which a pod tells the simulation how to behave. For tests and demonstrations. */
export const START_DELAY = 'simulation.fairlead.dev/start-delay';
export const RUN_TIME = 'simulation.fairlead.dev/run-time';
export const OUTCOME = 'simulation.fairlead.dev/outcome';
export const STOP_DELAY = 'simulation.fairlead.dev/stop-delay';

/** What becomes of a pod that started: it runs on, ready or not, or ends. */
export type Outcome = 'run' | 'unready' | 'succeed' | 'fail';

export interface Instructions {
  /** Milliseconds from being bound to running. */
  readonly startDelay: number;
  /** Milliseconds from running to its end; only for outcomes that end. */
  readonly runTime: number;
  readonly outcome: Outcome;
  /** Milliseconds from being told to stop to being gone, within its grace period. */
  readonly stopDelay: number;
}

export interface PodTimings {
  /** Milliseconds. Default: 0. */
  readonly startDelay?: number;
  /** Milliseconds for which the pods of jobs run. Default: 0. */
  readonly runTime?: number;
  /** Milliseconds. Default: 0. */
  readonly stopDelay?: number;
}

const OUTCOMES: readonly Outcome[] = ['run', 'unready', 'succeed', 'fail'];

/**
 * What a pod's annotations say, over what its commands look like, over the timings of the cluster. The pods of jobs end, others run.
 * What can't be read says nothing.
 */
export function instructionsOf(pod: Pod, timings: PodTimings): Instructions {
  const annotations = pod.metadata.annotations ?? {};
  const ends = controllerOf(pod)?.kind === 'Job';
  const seen = ends ? lookAt(pod) : {};
  return {
    startDelay: parseDuration(annotations[START_DELAY]) ?? timings.startDelay ?? 0,
    runTime: parseDuration(annotations[RUN_TIME]) ?? seen.runTime ?? timings.runTime ?? 0,
    outcome: OUTCOMES.find((each) => each === annotations[OUTCOME]) ?? (ends ? (seen.outcome ?? 'succeed') : 'run'),
    stopDelay: parseDuration(annotations[STOP_DELAY]) ?? timings.stopDelay ?? 0,
  };
}

/** Commands of examples and tests that nobody has to run to know what they do: `sleep 30`, `exit 1`, `false`. */
function lookAt({ spec }: Pod): Partial<Pick<Instructions, 'runTime' | 'outcome'>> {
  const commands = spec.containers.map(({ command = [], args = [] }) => [...command, ...args].join(' '));
  const sleeps = commands.flatMap((command) => {
    const match = /\bsleep (\d{1,9})(?:s|\b)/.exec(command);
    return match === null ? [] : [Number(match[1]) * 1000];
  });
  const fails = commands.some((command) => /\bexit [1-9]\d{0,2}\b/.test(command) || /^(?:\/bin\/)?false$/.test(command));
  return { ...(sleeps.length === 0 ? {} : { runTime: Math.max(...sleeps) }), ...(fails ? { outcome: 'fail' } : {}) };
}
