import { type CelType, DYN, type StructType, type TypeProvider } from '../../cel/types.ts';
import { compileCustomResourceSchema } from '../../object/custom-resource-schema.ts';
import { isJsonObject, type Json, type JsonObject, ownValue, setOwn, textsOf } from '../../object/json.ts';
import { compactOpenApi } from '../../object/openapi-schema.ts';
import { ANY, expandSchema } from '../../object/schema.ts';
import { createSchemaTypes } from '../../object/schema-types.ts';
import { readSimpleSchema, type SchemaProblem, type SimpleSchema } from '../../object/simple-schema.ts';
import { celTypeOf, checkValue, withDefaults } from '../../object/simple-schema-value.ts';
import { formatPath } from '../../text/document.ts';
import type { Reporter } from '../reporter.ts';
import type { CniFault } from './program.ts';
import { FAULT_CODES, fault } from './protocol/fault.ts';
import { goField, goFields } from './protocol/go-field.ts';
import { CONFIG_TYPE, RUNTIME_CONFIG_SCHEMA } from './types.ts';

/** The part of a network configuration that a rule declares. */
export interface ConfigSchema {
  /** What expressions see as `config`. */
  readonly type: CelType;
  readonly types: TypeProvider;
  /** Fields without which there is no attachment. */
  readonly required: readonly string[];
  readonly defaults: JsonObject;
  /** All that it declares. */
  readonly fields: readonly string[];
  /** What the rule sees of a configuration, with defaults filled in; fields that it does not declare are others' business. */
  read(config: JsonObject): { readonly value: JsonObject } | { readonly fault: CniFault };
}

/** Fields of a network configuration that have a meaning of their own, and where rules find it. */
const RESERVED: Readonly<Record<string, string>> = {
  cniVersion: 'rules see it as request.cniVersion',
  name: 'rules see it as request.network',
  type: 'it is the name of the rule',
  prevResult: 'rules see it as prevResult',
  runtimeConfig: 'rules see it as runtimeConfig',
  capabilities: 'runtimes turn it into runtimeConfig',
};

/** Reads `spec.config`. What is wrong with it is reported. */
export function readConfigSchema(report: Reporter, source: unknown): ConfigSchema {
  const path = ['spec', 'config'];
  const problems: SchemaProblem[] = [];
  const schema = readSimpleSchema(source ?? {}, problems);
  for (const { path: below, message, hint } of problems) report.error([...path, ...below], 'network-config', message, hint);
  if (schema.kind === 'openapi') return openApiConfig(schema.schema);
  if (schema.kind !== 'object') {
    if (problems.length === 0)
      report.error(path, 'network-config', 'expected a map of fields', 'as config: { bridge: "string | default=cni0" }');
    return simpleConfig({ kind: 'object', fields: new Map(), rules: {} });
  }
  for (const name of schema.fields.keys()) {
    if (Object.hasOwn(RESERVED, name))
      report.error([...path, name], 'network-config', `${name} has a meaning in every configuration`, RESERVED[name]);
  }
  return simpleConfig(schema);
}

function simpleConfig(schema: SimpleSchema & { readonly kind: 'object' }): ConfigSchema {
  const structs = new Map<string, StructType>();
  const type = celTypeOf(schema, CONFIG_TYPE, structs);
  return {
    type,
    types: { structType: (name) => structs.get(name) },
    required: [...schema.fields].filter(([, { rules }]) => rules.required === true && rules.default === undefined).map(([name]) => name),
    defaults: defaultsOf(schema),
    fields: [...schema.fields.keys()],
    read(config) {
      const declared = onlyDeclared(schema, config);
      const missing: SchemaProblem[] = [];
      const [wrong] = checkValue(schema, declared, []);
      const value = withDefaults(schema, declared, [], missing) as JsonObject;
      const problem = wrong ?? missing[0];
      return problem === undefined ? { value } : { fault: configFault(problem) };
    },
  };
}

/** Fields with a default of their own; those inside of structures are filled in where they are missing. */
function defaultsOf(schema: SimpleSchema & { readonly kind: 'object' }): JsonObject {
  const defaults: { [name: string]: Json } = {};
  for (const [name, { rules }] of schema.fields) if (rules.default !== undefined) setOwn(defaults, name, rules.default);
  return defaults;
}

function openApiConfig(source: JsonObject): ConfigSchema {
  const schema = compileCustomResourceSchema(source);
  const types = createSchemaTypes('values');
  const fields = [...schema.structural.properties.keys()];
  const root = expandSchema(compactOpenApi(source), () => undefined, CONFIG_TYPE);
  return {
    type: types.typeOf(root) ?? DYN,
    types,
    required: textsOf(ownValue(source, 'required')),
    defaults: schema.applyDefaults({}),
    fields,
    read(config) {
      const declared = root === ANY ? config : ownFields(config, fields);
      const value = schema.applyDefaults(declared);
      const [first] = schema.validate(value).errors;
      if (first === undefined) return { value };
      const code = first.type === 'FieldValueNotSupported' ? FAULT_CODES.unsupportedField : FAULT_CODES.invalidConfig;
      return { fault: fault(code, `invalid network configuration: ${first.field}: ${first.body}`) };
    },
  };
}

/**
 * What a configuration has of declared fields, by their declared names: they are found in any case, as Go does, and null is as good as
 * nothing. containerd hands over `HostPort` where the convention says `hostPort` (github.com/containerd/go-cni types.go).
 */
function ownFields(config: JsonObject, names: readonly string[]): JsonObject {
  const given = goFields(config, names);
  const fields: { [name: string]: Json } = {};
  for (const name of names) {
    const value = given.get(name);
    if (value !== undefined) setOwn(fields, name, value);
  }
  return fields;
}

/** The value with nothing in its structures that the schema does not know: others may read what this rule does not. */
function onlyDeclared(schema: SimpleSchema, value: Json): Json {
  if (schema.kind === 'object' && isJsonObject(value)) {
    const fields = ownFields(value, [...schema.fields.keys()]);
    return Object.fromEntries(Object.entries(fields).map(([name, child]) => [name, onlyDeclared(schema.fields.get(name)!, child)]));
  }
  if (schema.kind === 'list' && Array.isArray(value)) return value.map((item: Json) => onlyDeclared(schema.item, item));
  return value;
}

function configFault({ path, message }: SchemaProblem, within = ''): CniFault {
  const field = within + formatPath(path).slice(2);
  const code = message.startsWith('expected one of') ? FAULT_CODES.unsupportedField : FAULT_CODES.invalidConfig;
  return fault(code, `invalid network configuration: ${field}: ${message}`);
}

/** Fields of one invocation, which say nothing of the network. */
const OF_INVOCATION: ReadonlySet<string> = new Set(['prevResult', 'runtimeConfig', 'args']);

/** A configuration without what is of one invocation: the same for all of the network. */
export function networkOf(config: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !OF_INVOCATION.has(key) && !key.startsWith('cni.dev/')));
}

/** What the runtime handed over, in the forms that conventions give it; what else is in it is left out. */
export function readRuntimeConfig(config: JsonObject): { readonly value: JsonObject } | { readonly fault: CniFault } {
  const given = goField(config, 'runtimeConfig') ?? {};
  if (!isJsonObject(given))
    return { fault: fault(FAULT_CODES.invalidConfig, 'invalid network configuration: runtimeConfig: expected a map') };
  const value = onlyDeclared(RUNTIME_CONFIG_SCHEMA, given) as JsonObject;
  const [wrong] = checkValue(RUNTIME_CONFIG_SCHEMA, value, []);
  return wrong === undefined ? { value } : { fault: configFault(wrong, 'runtimeConfig.') };
}
