import type { CompiledBundle } from '../../bundle/bundle.ts';
import { compileBundle } from '../../bundle/compile.ts';
import { parseYaml } from '../../text/yaml.ts';
import type { ReconcileRule } from './program.ts';

const RESOURCE = `resource:
  group: apps.example.com
  version: v1
  kind: App
  spec:
    image: string | required
    replicas: integer | default=1
    expose: boolean
    hosts: "[]string"
    env: "map[string]string"
    workers: [{ name: string | required, size: integer | default=1 }]`;

/** The text of a ReconcileRule about the kind App of apps.example.com/v1, with this beside `resource` in its spec. */
export function ruleText(spec: string, resource = RESOURCE): string {
  const body = `${resource}\n${spec}`.replace(/^(?=.)/gm, '  ');
  return `apiVersion: fairlead.dev/v1alpha1\nkind: ReconcileRule\nmetadata: { name: app }\nspec:\n${body}\n`;
}

export function compileText(text: string): CompiledBundle {
  return compileBundle(parseYaml({ name: 'rule.yaml', text }).documents);
}

/** What is wrong with a rule, as `severity code path: message (hint)`. */
export function problemsOf(text: string): readonly string[] {
  return compileText(text).diagnostics.map(
    ({ severity, code, path, message, hint }) => `${severity} ${code} ${path}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}

/** The only rule of a text; throws where it does not compile. */
export function ruleOf(text: string): ReconcileRule {
  const rule = compileText(text).program?.reconcile.rules[0];
  if (rule === undefined) throw new Error(problemsOf(text).join('\n'));
  return rule;
}

/** A ConfigMap with an id, and these lines in the entry or in its template's data. */
export const configMap = (id: string, data = '{}', further = ''): string =>
  `- id: ${id}\n  template: { apiVersion: v1, kind: ConfigMap, metadata: { name: "\${self.metadata.name}-${id.toLowerCase()}" }, data: ${data} }\n${further.replace(/^(?=.)/gm, '  ')}`;
