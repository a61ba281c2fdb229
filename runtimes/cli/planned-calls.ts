import type { NetworkProgram } from '../../engine/rules/network/program.ts';
import type { ParsedArguments } from './command.ts';
import type { RecordedRun } from './decide-recorded.ts';
import type { PlannedInvocation } from './plan-recorded.ts';

/** The recorded calls of a run, planned on the node that `--node` names. Whoever has none does not wait for the operations to be loaded. */
export async function plannedCalls(
  program: NetworkProgram,
  run: RecordedRun,
  args: ParsedArguments,
): Promise<readonly PlannedInvocation[]> {
  if (program.rules.length === 0 || run.invocations.length === 0) return [];
  const { planInvocations } = await import('./plan-recorded.ts');
  const objects = [...run.recorded.map(({ object }) => object), ...run.beside];
  return planInvocations(program, run.invocations, { objects, node: args.text('node') ?? 'node' });
}
