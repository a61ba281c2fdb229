import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { compileBundle } from '../../engine/bundle/compile.ts';
import { isJsonObject } from '../../engine/object/json.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import type { Document } from '../../engine/text/document.ts';
import { renderDiagnostic } from '../../engine/text/render.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import type { CaseResult } from '../suite.ts';

/** A ResourceGraphDefinition of the corpus. */
export interface GraphDefinition {
  /** File below the corpus, and the name of the definition: stable from run to run. */
  readonly name: string;
  readonly document: Document;
}

/** Every definition below a folder of the corpus, in the order of its files. What is no plain YAML (Helm templates) is passed over. */
export function graphDefinitions(corpus: string): readonly GraphDefinition[] {
  return yamlFiles(corpus).flatMap((file) => {
    const { documents } = parseYaml({ name: relative(corpus, file), text: readFileSync(file, 'utf8') });
    return documents.filter(isGraphDefinition).map((document) => ({ name: `${document.source.name} ${nameOf(document)}`, document }));
  });
}

function yamlFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function isGraphDefinition({ value }: Document): boolean {
  // What a test asserts of a definition is a part of one: it has a status and no spec.
  return isJsonObject(value) && value['kind'] === 'ResourceGraphDefinition' && isJsonObject(value['spec']) && value['status'] === undefined;
}

function nameOf({ value }: Document): string {
  const metadata = isJsonObject(value) ? value['metadata'] : undefined;
  return isJsonObject(metadata) ? String(metadata['name']) : '';
}

/**
 * Definitions that are wrong, and what is said of them: a part of the message of every error. kro refuses them as well, unless it is older
 * than they are.
 */
const REFUSALS: Readonly<Record<string, readonly string[]>> = {
  // A default of several words without quotes.
  'examples/aws/ack-controller/controllers/ec2-controller.yaml ec2controller.kro.run': ['unknown rule role'],
  'examples/aws/ack-controller/controllers/ecr-controller.yaml ecrcontrollers.kro.run': ['unknown rule role'],
  'examples/aws/ack-controller/controllers/ecr-public-controller.yaml ecrpubliccontrollers.kro.run': ['unknown rule role'],
  'examples/aws/ack-controller/controllers/eks-controller.yaml ekscontrollers.kro.run': ['unknown rule role'],
  'examples/aws/ack-controller/controllers/s3-controller.yaml s3controller.kro.run': ['unknown rule role'],
  'examples/aws/ack-controller/controllers/sqs-controller.yaml sqscontrollers.kro.run': ['unknown rule role'],
  'examples/aws/ack-controller/resourcegroup.yaml ack-controllers.kro.run': ['unknown rule role'],
  // spc.version, where schema.spec.version is meant.
  'examples/aws/ack-eks-cluster/eks-reused.yaml ekscluster.kro.run': ["undeclared reference to 'spc'"],
  // The name stands beside metadata instead of inside.
  'examples/gcp/gemma-on-tpu/rgd.yaml gemmaontpuserver.kro.run': ['unknown field', 'metadata has no value'],
  // A node selector whose value is a bool.
  'examples/aws/llm/llm.yaml ollama-deployment.kro.run': ['expected a string, found bool'],
};

/** A definition must compile; kinds that are not known here are typed dyn and told as warnings. */
export function judgeDefinition({ name, document }: GraphDefinition): CaseResult {
  const { diagnostics, program } = compileBundle([document]);
  const errors = diagnostics.filter(isError);
  const refusal = Object.hasOwn(REFUSALS, name) ? REFUSALS[name] : undefined;
  if (refusal !== undefined) {
    const asExpected = errors.length > 0 && errors.every(({ message }) => refusal.some((part) => message.includes(part)));
    if (asExpected) return { name, outcome: 'passed' };
    return {
      name,
      outcome: 'failed',
      reason: `expected to be refused for ${refusal.join(', ')}\n${errors.map((each) => renderDiagnostic(each)).join('\n')}`,
    };
  }
  if (errors.length > 0) return { name, outcome: 'failed', reason: errors.map((each) => renderDiagnostic(each)).join('\n') };
  const unexpected = diagnostics.filter(({ code }) => code !== 'reconcile-unknown-kind');
  if (unexpected.length > 0) return { name, outcome: 'failed', reason: unexpected.map((each) => renderDiagnostic(each)).join('\n') };
  return program?.reconcile.rules.length === 1 ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: 'there is no program' };
}
