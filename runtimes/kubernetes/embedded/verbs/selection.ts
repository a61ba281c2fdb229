import { goQuote } from '../../../../engine/cel/go-quote.ts';
import { type FieldRequirement, parseFieldSelector } from '../../../../engine/object/field-selector.ts';
import { isJsonObject, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { EVERYTHING, type LabelSelector, type Labels, parseLabelSelector } from '../../../../engine/object/label-selector.ts';
import { metadataOf, metadataText } from '../../../../engine/object/metadata.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import { badRequest } from '../status-error.ts';

/** Which objects a list or a watch is about. */
export interface Selection {
  readonly matches: (object: JsonObject) => boolean;
  /** Nothing is left out. */
  readonly everything: boolean;
  /** The one name that can match, where the field selector says so. */
  readonly name: string | undefined;
}

const ALL: Selection = { matches: () => true, everything: true, name: undefined };

/** Throws a 400 where a selector is none, or names a field by which the resource cannot be selected. */
export function parseSelection(definition: ResourceDefinition, labelSelector: string, fieldSelector: string): Selection {
  const labels = labelSelector === '' ? EVERYTHING : parseLabels(labelSelector);
  const fields = fieldSelector === '' ? [] : parseFields(definition, fieldSelector);
  if (labels.requirements.length === 0 && fields.length === 0) return ALL;
  const name = fields.find(({ field, operator }) => field === 'metadata.name' && operator === '=')?.value;
  return {
    everything: false,
    name,
    matches(object) {
      for (const { read, operator, value } of fields) if ((read(object) === value) !== (operator === '=')) return false;
      if (labels.requirements.length === 0) return true;
      const own = ownValue(metadataOf(object), 'labels');
      return labels.matches(isJsonObject(own) ? (own as Labels) : undefined);
    },
  };
}

function parseLabels(text: string): LabelSelector {
  const parsed = parseLabelSelector(text);
  if (!parsed.ok) throw badRequest(parsed.message);
  return parsed.selector;
}

interface FieldTest extends FieldRequirement {
  readonly read: (object: JsonObject) => string;
}

function parseFields(definition: ResourceDefinition, text: string): readonly FieldTest[] {
  const parsed = parseFieldSelector(text);
  if (!parsed.ok) throw badRequest(parsed.message);
  return parsed.selector.requirements.map((requirement) => {
    const read = reader(definition, requirement.field);
    if (read === undefined) throw badRequest(notSelectable(definition, requirement.field));
    return { ...requirement, read };
  });
}

function reader(definition: ResourceDefinition, field: string): ((object: JsonObject) => string) | undefined {
  if (field === 'metadata.name') return (object) => metadataText(object, 'name');
  if (field === 'metadata.namespace') return (object) => metadataText(object, 'namespace');
  return definition.selectableFields.get(field);
}

/** Kinds with fields of their own say it otherwise than those without. Kubernetes: apimachinery pkg/runtime/conversion.go. */
function notSelectable(definition: ResourceDefinition, field: string): string {
  return definition.builtIn && definition.selectableFields.size === 0
    ? `${goQuote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
    : `field label not supported: ${field}`;
}
