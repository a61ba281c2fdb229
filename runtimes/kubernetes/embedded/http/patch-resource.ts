import { goValue } from '../../../../engine/object/go-format.ts';
import { goMapJson } from '../../../../engine/object/go-json.ts';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { metadataText } from '../../../../engine/object/metadata.ts';
import { formatApiVersion, parseApiVersion } from '../../../../engine/object/type-table.ts';
import type { ScaleMapping } from '../kinds/definition.ts';
import type { ServerState } from '../server-state.ts';
import { badRequest, conflict, StatusError, unsupportedMediaType } from '../status-error.ts';
import { scaleOf, withScale } from '../subresources/scale.ts';
import { decodeObject, decodePatched, parseConfiguration, parsePatch, yamlErrors } from '../verbs/decode.ts';
import { applied } from '../verbs/field-ownership.ts';
import { withMetadata } from '../verbs/object-metadata.ts';
import { jsonPatched, mergePatched, strategicPatched } from '../verbs/patch.ts';
import { updateObject } from '../verbs/update.ts';
import { type WriteContext, writtenKind } from '../verbs/write-context.ts';
import { readBody } from './body.ts';
import { parseMediaTypes } from './media-type.ts';
import {
  checkName,
  contextOf,
  decodeOptions,
  nameMismatch,
  nameOf,
  type ResourceRequest,
  respond,
  view,
  viewOf,
} from './resource-request.ts';
import { replicasOnly, scaled } from './scaled-write.ts';
import type { View } from './transform.ts';
import { parseWriteOptions, type WriteOptions } from './write-options.ts';

const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
  'application/strategic-merge-patch+json',
];

/** PATCH, in all four forms. */
export async function patch(state: ServerState, call: ResourceRequest): Promise<void> {
  const { definition, path, query, request } = call;
  const [media] = parseMediaTypes(request.headers['content-type'] ?? '');
  const type = media?.type ?? '';
  const isApply = type === 'application/apply-patch+yaml';
  if (!PATCH_TYPES.includes(type) || (type === 'application/strategic-merge-patch+json' && !definition.builtIn)) {
    // A type that is one, but not for this kind, is refused by name; all others never get so far.
    if (PATCH_TYPES.includes(type)) throw unsupportedMediaType(PATCH_TYPES.slice(0, 3));
    throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  }
  const options = parseWriteOptions(query, 'PatchOptions', isApply);
  const context = contextOf(call, options);
  const shown = view(state, call);
  const bytes = await readBody(request, state.clock.after);
  const name = nameOf(call);
  const kind = writtenKind(definition, path.subresource);
  const scale = path.subresource === 'scale' ? definition.scale : undefined;
  if (isApply) {
    await apply(state, call, { options, context, shown, scale, ...parseConfiguration(bytes) });
    return;
  }
  const body = parsePatch(bytes);
  const { object } = await updateObject(
    state,
    {
      definition,
      name,
      ...scaled(scale),
      change(whole) {
        const old = scale === undefined ? whole : scaleOf(scale, whole);
        const patched =
          type === 'application/json-patch+json'
            ? jsonPatched(old, body.value)
            : type === 'application/merge-patch+json'
              ? mergePatched(old, body.value)
              : strategicPatched(kind.schema, old, body.value);
        // Of a patch by structure the patch itself is shown, as Go prints maps; of others what they made.
        const isStrategic = type === 'application/strategic-merge-patch+json';
        const made = { value: patched, duplicates: body.duplicates, shown: isStrategic ? goValue(body.value) : goMapJson(patched) };
        const next = decodePatched(definition, kind, made, decodeOptions(call, options));
        checkName(next, path);
        return scale === undefined ? next : withScale(scale, whole, next);
      },
    },
    context,
  );
  await state.store.durable();
  respond(call, 200, viewOf(call, shown, object));
}

interface ApplyCall {
  readonly options: WriteOptions;
  readonly context: WriteContext;
  readonly shown: View;
  readonly scale: ScaleMapping | undefined;
  /** As the client sent it: what is not in it is as telling as what is. */
  readonly configuration: JsonObject;
  /** Keys that it gives twice, in the words of the YAML parser. */
  readonly yamlMistakes: readonly string[];
}

/** Server-side apply, which creates where there is nothing yet. */
async function apply(
  state: ServerState,
  call: ResourceRequest,
  { options, context, shown, scale, configuration, yamlMistakes }: ApplyCall,
): Promise<void> {
  const { definition, path } = call;
  const name = nameOf(call);
  const force = options.force ?? false;
  const sentName = metadataText(configuration, 'name');
  if (sentName !== '' && sentName !== name.name) throw badRequest(nameMismatch(sentName, name.name));
  const { apiVersion = '', kind = '' } = configuration;
  const written = writtenKind(definition, path.subresource);
  if (apiVersion !== formatApiVersion(written.group, written.version) || kind !== written.kind) {
    const { group, version } = parseApiVersion(String(apiVersion));
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${String(kind)}`);
  }
  if (yamlMistakes.length > 0 && options.fieldValidation === 'Strict') {
    throw badRequest(`error strict decoding patch: error converting YAML to JSON: ${yamlErrors(yamlMistakes)}`);
  }
  if (options.fieldValidation === 'Warn') for (const mistake of yamlMistakes) call.warnings.add(mistake);
  const decoded = (object: JsonObject): JsonObject =>
    decodeObject(definition, writtenKind(definition, ''), { value: object, duplicates: [] }, decodeOptions(call, options));
  const created = (): JsonObject => {
    const uid = metadataText(configuration, 'uid');
    if (uid !== '') {
      throw conflict(definition, name.name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
    }
    const named = withMetadata(configuration, { name: name.name, resourceVersion: undefined });
    return decoded(applied(state, definition, null, named, force, context));
  };
  const { object, created: isNew } = await updateObject(
    state,
    {
      definition,
      name,
      ownsFields: true,
      ...scaled(scale),
      change: (old) =>
        decoded(
          applied(state, definition, old, scale === undefined ? configuration : replicasOnly(scale, old, configuration), force, context),
        ),
      ...(path.subresource === '' ? { ifMissing: created } : {}),
    },
    context,
  );
  await state.store.durable();
  respond(call, isNew ? 201 : 200, viewOf(call, shown, object));
}
