import { createEnvironment } from '../../cel/create-environment.ts';
import type { Environment } from '../../cel/environment.ts';
import { kubernetesFeatures } from '../../cel/kubernetes/features.ts';
import { type Diagnostic, isError } from '../../text/diagnostic.ts';
import type { Document } from '../../text/document.ts';
import { checkShape } from '../../text/shape-check.ts';
import { BASE64_LIBRARY } from '../libraries/base64.ts';
import { HASH_LIBRARY } from '../libraries/hash.ts';
import { JSON_LIBRARY } from '../libraries/json.ts';
import { reporter } from '../reporter.ts';
import { compileRule } from './compile-rule.ts';
import type { NetworkContext } from './compiled-rule.ts';
import { type NetworkRuleDocument, networkRule } from './document.ts';
import { isNetworkDocument } from './document-kinds.ts';
import { NET_LIBRARY } from './libraries/net.ts';
import { NETWORK_STATUS_LIBRARY } from './libraries/network-status.ts';
import type { NetworkRule } from './program.ts';
import { ruleProgram } from './rule-program.ts';

export interface CompiledNetworkRules {
  /** In document order; none when a diagnostic is an error. */
  readonly rules: readonly NetworkRule[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles the network rules among the documents. Others are passed over. */
export function compileNetwork(all: readonly Document[], options: Omit<NetworkContext, 'environment'>): CompiledNetworkRules {
  const diagnostics: Diagnostic[] = [];
  const rules: NetworkRule[] = [];
  const names = new Set<string>();
  for (const document of all) {
    if (!isNetworkDocument(document)) continue;
    const report = reporter(document, diagnostics);
    const checked = checkShape<NetworkRuleDocument>(networkRule, document);
    for (const diagnostic of checked.diagnostics) report.add(diagnostic);
    if (checked.value === undefined) continue;
    const { name } = checked.value.metadata;
    if (names.has(name)) report.error(['metadata', 'name'], 'network-duplicate', `there is another rule called ${name}`);
    names.add(name);
    const rule = compileRule(report, checked.value, { environment: networkEnvironment(), ...options });
    if (rule !== undefined) rules.push(ruleProgram(rule));
  }
  return { rules: diagnostics.some(isError) ? [] : rules, diagnostics };
}

let environment: Environment | undefined;

/** Kubernetes' language and what network rules have on top. Lists and maps may mix types, because templates make JSON of them. */
function networkEnvironment(): Environment {
  const features = kubernetesFeatures();
  environment ??= createEnvironment({
    ...features,
    libraries: [...features.libraries, BASE64_LIBRARY, HASH_LIBRARY, JSON_LIBRARY, NET_LIBRARY, NETWORK_STATUS_LIBRARY],
    homogeneousLiterals: false,
  });
  return environment;
}
