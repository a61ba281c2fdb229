import { isJsonObject, type JsonObject, ownValue } from '../../engine/object/json.ts';
import type { GeneratedValue, GenerateRequest } from '../../engine/rules/reconcile/program.ts';
import { ApiError } from '../kubernetes/api-error.ts';
import type { Environment, RuleIdentity } from './environment.ts';
import { readGenerated } from './facts.ts';
import { type IssuingAuthority, issue, randomText } from './generate.ts';
import type { KindSource } from './kind-source.ts';
import {
  bookkeepingMetadata,
  GENERATED_LEVEL,
  INSTANCE_LABEL,
  labelOf,
  mayOwn,
  namespaceOf,
  ownerReference,
  resourceVersionOf,
  uidOf,
} from './ownership.ts';
import { type Problem, problem, problemOf } from './problem.ts';
import { isPreconditionFailure, WritingStopped } from './writer.ts';

export interface GenerateContext {
  readonly env: Environment;
  readonly rule: RuleIdentity;
  readonly instance: JsonObject;
  /** Secrets that rules have made. */
  readonly secrets: KindSource;
  /** What becomes of the Secret with the instance. */
  readonly deletion: 'Delete' | 'Orphan';
}

/**
 * Makes a value and keeps it, before anything uses it: by create, or where the Secret exists by a patch of the very version that was
 * seen. Where another process was faster its value counts, and is read back.
 */
export async function generateValue(context: GenerateContext, request: GenerateRequest): Promise<Problem | undefined> {
  const { env, secrets, instance } = context;
  const { namespace, name } = request.secret;
  const what = `Secret ${namespace}/${name}`;
  try {
    const seen = secrets.get(namespace, name);
    const live = seen ?? (await env.writer.get('v1', 'Secret', { namespace, name })) ?? undefined;
    if (live === undefined) return await create(context, request);
    if (labelOf(live, INSTANCE_LABEL) !== uidOf(instance)) {
      return problem('NotOurs', `${what} exists and was not made for this instance; generated values are not put there`, true);
    }
    if (seen === undefined) secrets.wrote(live);
    // What a watch did not show in time is no reason to make a value twice.
    if (seen === undefined && readGenerated(live, request) !== undefined) return undefined;
    const values = await makeValues(context, request.value, live);
    if (typeof values === 'string') return problem('Waiting', `${what}: ${values}`, false);
    const patch = { metadata: { resourceVersion: resourceVersionOf(live) }, data: encoded(values) };
    secrets.wrote(await env.writer.patch('v1', 'Secret', { namespace, name }, 'merge', patch));
    return undefined;
  } catch (error) {
    if (error instanceof WritingStopped) throw error;
    if (error instanceof ApiError)
      return isPreconditionFailure(error) ? { ...problemOf(error, 'keep', what), stalled: false } : problemOf(error, 'keep', what);
    return problem('CannotGenerate', `${what}: ${error instanceof Error ? error.message : String(error)}`, false);
  }
}

async function create(context: GenerateContext, request: GenerateRequest): Promise<Problem | undefined> {
  const { env, rule, instance, secrets } = context;
  const { namespace, name } = request.secret;
  const values = await makeValues(context, request.value, undefined);
  if (typeof values === 'string') return problem('Waiting', `Secret ${namespace}/${name}: ${values}`, false);
  const [id = '', ...key] = request.id.split('/');
  const mark = { rule: rule.name, instance: uidOf(instance), id, key: key.join('/'), level: GENERATED_LEVEL, deletion: context.deletion };
  const owns = context.deletion === 'Delete' && mayOwn({ namespace: namespaceOf(instance) }, namespace);
  const secret: JsonObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name, ...bookkeepingMetadata(mark), ...(owns ? { ownerReferences: [ownerReference(instance, true)] } : {}) },
    type: request.value.kind === 'x509' ? 'kubernetes.io/tls' : 'Opaque',
    data: encoded(values),
  };
  try {
    secrets.wrote(await env.writer.create(secret, { fieldManager: rule.fieldManager }));
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
    const live = await env.writer.get('v1', 'Secret', { namespace, name });
    if (live !== null && labelOf(live, INSTANCE_LABEL) === uidOf(instance)) {
      secrets.wrote(live);
      return undefined;
    }
    return problem('NotOurs', `Secret ${namespace}/${name} exists and was not made for this instance`, true);
  }
}

/** The values by key, or what they wait for. */
async function makeValues(
  context: GenerateContext,
  value: GeneratedValue,
  existing: JsonObject | undefined,
): Promise<Readonly<Record<string, string>> | string> {
  const { env } = context;
  if (value.kind === 'random') return { [value.key]: randomText(value, env.randomBytes) };
  let issuer: IssuingAuthority | undefined;
  if (value.issuer !== undefined) {
    const { namespace, name } = value.issuer;
    const secret = await env.writer.get('v1', 'Secret', { namespace, name });
    if (secret === null) return `its issuer, Secret ${namespace}/${name}, is not there`;
    const certificate = textAt(secret, 'tls.crt');
    const key = textAt(secret, 'tls.key');
    if (certificate === undefined || key === undefined) return `its issuer, Secret ${namespace}/${name}, has no tls.crt and tls.key`;
    issuer = { certificate, key };
  }
  const key = existing === undefined || value.rotateKey ? undefined : textAt(existing, 'tls.key');
  return { ...issue({ value, issuer, key, now: env.clock.now() }) };
}

function textAt(secret: JsonObject, key: string): string | undefined {
  const data = ownValue(secret, 'data');
  const encodedText = isJsonObject(data) ? ownValue(data, key) : undefined;
  return typeof encodedText === 'string' ? Buffer.from(encodedText, 'base64').toString('utf8') : undefined;
}

function encoded(values: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([key, text]) => [key, Buffer.from(text, 'utf8').toString('base64')]));
}
