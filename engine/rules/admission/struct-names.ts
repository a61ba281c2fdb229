import { isPlainObject } from '../../cel/run/type-of.ts';
import { type CelValue, Struct } from '../../cel/values.ts';

/**
 * Objects that an expression constructs name their place: `Object{spec: Object.spec{...}}`. The text of what is named
 * otherwise, or undefined.
 * Kubernetes: apiserver pkg/cel/mutation/dynamic/objects.go CheckTypeNamesMatchFieldPathNames.
 */
export function checkStructNames(value: Struct): string | undefined {
  const errors: string[] = [];
  const walk = (node: CelValue, path: string): void => {
    if (node instanceof Struct) {
      if (node.typeName !== path) {
        const expected = `expected ${JSON.stringify(path)}, which matches field name path from root Object type`;
        errors.push(`unexpected type name ${JSON.stringify(node.typeName)}, ${expected}`);
      }
      for (const [field, child] of Object.entries(node.fields)) walk(child, `${path}.${field}`);
    } else if (Array.isArray(node)) {
      for (const child of node) walk(child, path);
    } else if (isPlainObject(node)) {
      for (const child of Object.values(node)) walk(child, path);
    }
  };
  walk(value, value.typeName);
  return errors.length === 0 ? undefined : errors.join('\n');
}
