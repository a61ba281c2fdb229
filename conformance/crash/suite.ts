import type { CaseResult, Suite } from '../suite.ts';
import type { Death } from './mortal-client.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { World } from './world.ts';

/** How a scenario ended, in what may not depend on when the controller died. */
interface Ending {
  readonly state: string;
  readonly comings: ReadonlyMap<string, number>;
  readonly effects: readonly string[];
  /** Values by Secret and key; one each. */
  readonly values: ReadonlyMap<string, number>;
  /** What the first controller wrote. */
  readonly story: readonly string[];
}

async function play(scenario: Scenario, death: Death | undefined): Promise<Ending> {
  const world = await World.start(scenario.rules, death);
  try {
    for (const [index, step] of scenario.steps.entries()) {
      await step.act(world);
      await world.until(() => step.done(world), `the end of step ${index + 1}; written until then: ${world.first.story.join(', ')}`);
    }
    await world.settle();
    return {
      state: world.endState(),
      comings: new Map(world.comings),
      effects: [...world.outside.effects],
      values: new Map([...world.secrets].map(([key, values]) => [key, values.size])),
      story: [...world.first.story],
    };
  } finally {
    await world.close();
  }
}

function compare(ending: Ending, undisturbed: Ending): string | undefined {
  const lines: string[] = [];
  if (ending.state !== undisturbed.state) {
    lines.push('the cluster ended in another state', `expected: ${undisturbed.state}`, `found: ${ending.state}`);
  }
  for (const key of new Set([...ending.comings.keys(), ...undisturbed.comings.keys()])) {
    const [found, expected] = [ending.comings.get(key) ?? 0, undisturbed.comings.get(key) ?? 0];
    if (found !== expected) lines.push(`${key}: ${found} times, expected ${expected}`);
  }
  for (const [key, count] of ending.values) if (count > 1) lines.push(`${key}: ${count} values, one after the other`);
  if (ending.effects.join() !== undisturbed.effects.join()) {
    lines.push(`calls: ${ending.effects.join(', ') || 'none'}; expected ${undisturbed.effects.join(', ') || 'none'}`);
  }
  return lines.length === 0 ? undefined : [...lines, `written before the end: ${ending.story.join(', ')}`].join('\n');
}

/** The controller dies after each of its writes, once with the answer and once without, and another takes over. */
export const suite: Suite = {
  name: 'crash',
  description: 'the controller dies between any two writes, another starts, and the cluster ends as if nothing had happened',
  async *run(context): AsyncIterable<CaseResult> {
    for (const scenario of SCENARIOS) {
      if (context.signal.aborted) return;
      const undisturbed = await play(scenario, undefined);
      const again = await play(scenario, undefined);
      const same = compare(again, undisturbed);
      yield {
        name: `${scenario.name}, undisturbed`,
        outcome: same === undefined ? 'passed' : 'failed',
        ...(same === undefined ? {} : { reason: same }),
      };
      context.log(`${scenario.name}: ${undisturbed.story.length} writes`);
      for (let afterWrite = 1; afterWrite <= undisturbed.story.length; afterWrite++) {
        for (const answered of [true, false]) {
          const name = `${scenario.name}, died ${answered ? 'after' : 'during'} write ${afterWrite}`;
          if (context.signal.aborted) return;
          if (!context.wanted(name)) continue;
          let reason: string | undefined;
          try {
            reason = compare(await play(scenario, { afterWrite, answered }), undisturbed);
          } catch (error) {
            reason = error instanceof Error ? error.message : String(error);
          }
          yield { name, outcome: reason === undefined ? 'passed' : 'failed', ...(reason === undefined ? {} : { reason }) };
        }
      }
    }
  },
};
