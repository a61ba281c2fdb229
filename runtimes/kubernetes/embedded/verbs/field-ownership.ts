import type { JsonObject } from '../../../../engine/object/json.ts';
import { serverSideApply, trackUpdate } from '../../../../engine/object/server-side-apply.ts';
import { formatTime } from '../../../../engine/object/time.ts';
import { formatApiVersion } from '../../../../engine/object/type-table.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ServerState } from '../server-state.ts';
import { applyConflict, badRequest, StatusError } from '../status-error.ts';
import type { WriteContext } from './write-context.ts';

/** Notes in `metadata.managedFields` who set what by a create, an update or a patch. */
export function trackManager(
  state: ServerState,
  definition: ResourceDefinition,
  live: JsonObject | null,
  updated: JsonObject,
  context: WriteContext,
): JsonObject {
  return trackUpdate({ live, updated, ...write(state, definition, context) });
}

/** The object after a server-side apply; throws a 409 where others own what it sets. */
export function applied(
  state: ServerState,
  definition: ResourceDefinition,
  live: JsonObject | null,
  configuration: JsonObject,
  force: boolean,
  context: WriteContext,
): JsonObject {
  const outcome = serverSideApply({ live, applied: configuration, force, ...write(state, definition, context) });
  if (outcome.ok) return outcome.object;
  if (outcome.reason === 'BadRequest') throw badRequest(outcome.message);
  if (outcome.reason === 'InternalError') throw new StatusError(500, undefined, outcome.message);
  const causes = outcome.conflicts.map(({ message, field }) => ({ reason: 'FieldManagerConflict', message, field }));
  throw applyConflict(causes, outcome.message);
}

function write(state: ServerState, definition: ResourceDefinition, context: WriteContext) {
  return {
    schema: definition.schema,
    ...(definition.strategy.emptyObject === undefined ? {} : { empty: definition.strategy.emptyObject }),
    keepsNulls: !definition.builtIn,
    resetFields: resetFields(definition, context.subresource),
    apiVersion: formatApiVersion(definition.group, definition.version),
    manager: context.fieldManager,
    subresource: context.subresource,
    now: formatTime(state.clock.now()),
  };
}

const STATUS = [['status']];
const SPEC = [['spec']];
/** Of custom resources, only the status itself may come with it. */
const SPEC_AND_METADATA = [['metadata'], ['spec']];

/** What a write can't set, and so does not own. */
function resetFields({ subresources, builtIn, strategy }: ResourceDefinition, subresource: string): readonly (readonly string[])[] {
  if (subresource === 'status') return strategy.keptByStatus ?? (builtIn ? SPEC : SPEC_AND_METADATA);
  return subresources.includes('status') ? STATUS : [];
}
