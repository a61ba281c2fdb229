import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { isError } from '../../../../engine/text/diagnostic.ts';
import { untyped } from '../control-loop/kind.ts';
import { memoryRegistry } from '../control-loop/memory-registry.fixture.ts';
import { policyErrors } from './policy-errors.ts';
import { PolicySet } from './policy-set.ts';

const policies = new PolicySet(memoryRegistry({ resources: [] }));
const MATCH = { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }] };

function errorsOf(spec: JsonObject): readonly string[] {
  const policy = untyped({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: { failurePolicy: 'Fail', matchConstraints: MATCH, ...spec },
  });
  return policyErrors(policy, policies.diagnose(policy).filter(isError)).map(({ type, field, body }) => `${type} ${field}: ${body}`);
}

describe('what is wrong with a policy', () => {
  it.each<readonly [JsonObject, readonly string[]]>([
    [{ validations: [{ expression: 'object.metadata.name != ""' }] }, []],
    [
      { validations: [{ expression: 'object.' }] },
      [
        'FieldValueInvalid spec.validations[0].expression: Invalid value: "object.": compilation failed: ERROR: <input>:1:8: Syntax error: no viable alternative at input \'.\'\n | object.\n | .......^',
      ],
    ],
    [
      { validations: [{ expression: 'objct == 1 && nothing' }] },
      [
        "FieldValueInvalid spec.validations[0].expression: Invalid value: \"objct == 1 && nothing\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'objct' (in container '')\n | objct == 1 && nothing\n | ^\nERROR: <input>:1:15: undeclared reference to 'nothing' (in container '')\n | objct == 1 && nothing\n | ..............^",
      ],
    ],
    [
      { matchConstraints: null, validations: [] },
      [
        'FieldValueRequired spec.matchConstraints: Required value',
        'FieldValueRequired spec.validations: Required value: validations or auditAnnotations must contain at least one item',
        'FieldValueRequired spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
      ],
    ],
  ])('%j', (spec, expected) => expect(errorsOf(spec).toSorted()).toEqual(expected.toSorted()));
});
