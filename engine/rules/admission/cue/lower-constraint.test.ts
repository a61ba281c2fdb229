import { describe, expect, it } from 'vitest';
import { compileBundle } from '../../../bundle/compile.ts';
import { renderDiagnostic } from '../../../text/render.ts';
import { parseYaml } from '../../../text/yaml.ts';
import { decide, podRequest, programOf, rule } from '../decide.fixture.ts';
import type { AdmissionRequest, JsonObject } from '../decision.ts';

const withCue = (cue: string, rest = '') => rule(`validations:\n- cue: |\n${cue.replace(/^/gm, '    ')}\n${rest}`);

const LATEST = 'spec: containers: [...{image: !~":latest$"}]';
const pod = (image: string): JsonObject => ({
  spec: {
    containers: [
      { name: 'a', image: 'a:1' },
      { name: 'b', image },
    ],
  },
});

function say(text: string, request: AdmissionRequest): string | undefined {
  return decide(programOf(text), request).status?.message;
}

describe('a validation by a constraint', () => {
  it('denies what is no instance, and says why', () => {
    expect(say(withCue(LATEST), podRequest(pod('b:1')))).toBeUndefined();
    expect(say(withCue(LATEST), podRequest(pod('b:latest')))).toBe(
      `AdmissionRule 'r' denied request: spec.containers[1].image: "b:latest" does not satisfy !~":latest$"`,
    );
  });

  it.each([
    ['  message: no latest\n', 'no latest'],
    ['  messageExpression: "\'not \' + object.spec.containers[1].image"\n', 'not b:latest'],
    ['  messageExpression: "string(1 / 0)"\n  message: no latest\n', 'no latest'],
  ])('says what the rule says: %s', (rest, message) => {
    expect(say(withCue(LATEST, rest), podRequest(pod('b:latest')))).toBe(`AdmissionRule 'r' denied request: ${message}`);
  });

  it('is false of what it does not fit, and never an error', () => {
    for (const spec of [
      null,
      1,
      [],
      {},
      { containers: null },
      { containers: {} },
      { containers: [null] },
      { containers: [{ image: 1 }] },
    ]) {
      const decision = decide(
        programOf(withCue(LATEST, '').replace('validations:', 'failurePolicy: Ignore\n  validations:')),
        podRequest({ spec } as never),
      );
      expect([spec, decision.allowed]).toEqual([spec, false]);
    }
  });

  it('has nothing to say of a request without an object', () => {
    const request = { ...podRequest(), operation: 'DELETE' as const, object: null, oldObject: podRequest(pod('b:latest')).object! };
    expect(say(withCue(LATEST), request)).toBeUndefined();
  });

  it('is about the pod templates of controllers, too', () => {
    const template = (object: JsonObject): AdmissionRequest => ({
      ...podRequest(),
      kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { template: object } },
    });
    const text = withCue(`${LATEST}\nmetadata: {name: "web", labels: team: string}`).replace(
      'validations:',
      'podControllers: true\n  validations:',
    );
    const labels = { metadata: { labels: { team: 'a' } } };
    expect(say(text, template({ ...pod('b:1'), ...labels }))).toBeUndefined();
    expect(say(text, template({ ...pod('b:latest'), ...labels }))).toBe(
      `AdmissionRule 'r' denied request: spec.template.spec.containers[1].image: "b:latest" does not satisfy !~":latest$"`,
    );
    expect(say(text, template({ ...pod('b:1'), metadata: { labels: {} } }))).toContain('spec.template.metadata.labels.team is required');
  });
});

describe('mistakes', () => {
  /** The pictures of what is wrong, without the lines that say where. */
  function pictures(text: string): string {
    const { documents, diagnostics } = parseYaml({ name: 'rule.yaml', text });
    const bundle = compileBundle(documents, { diagnostics });
    return bundle.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic)).join('\n');
  }

  it('point at the character in the file', () => {
    expect(pictures(withCue('spec: hostNetwork?: false\nspec: priority: <limit'))).toMatchInlineSnapshot(`
      "rule.yaml:11:24: error: < is followed by a literal here [cue-unsupported]
         11 |       spec: priority: <limit
            |                        ^^^^^
            = at $.spec.validations[0].cue"
    `);
  });

  it('are fields that the kind does not have', () => {
    expect(pictures(withCue('spec: container: [...{image: string}]'))).toMatchInlineSnapshot(`
      "rule.yaml:10:13: error: undefined field 'container' (in Pod) [cel-undefined-field]
         10 |       spec: container: [...{image: string}]
            |             ^^^^^^^^^
            = at $.spec.validations[0].cue
            = hint: did you mean 'containers'?"
    `);
  });

  it('are fields that the kind does not have, where they are optional', () => {
    expect(pictures(withCue('spec: containers: [...{imagePulPolicy?: "Always"}]'))).toMatchInlineSnapshot(`
      "rule.yaml:10:30: error: undefined field 'imagePulPolicy' (in Pod) [cel-undefined-field]
         10 |       spec: containers: [...{imagePulPolicy?: "Always"}]
            |                              ^^^^^^^^^^^^^^
            = at $.spec.validations[0].cue
            = hint: did you mean 'imagePullPolicy'?"
    `);
  });

  it('are values of another type than the field', () => {
    expect(pictures(withCue('spec: hostNetwork?: "no"'))).toMatchInlineSnapshot(`
      "rule.yaml:10:27: error: the field is of type bool, of which no value satisfies this (in Pod) [cel-no-matching-overload]
         10 |       spec: hostNetwork?: "no"
            |                           ^^^^
            = at $.spec.validations[0].cue"
    `);
  });

  it('are an expression and a constraint at once, or neither', () => {
    expect(pictures(rule('validations: [{cue: "a: int", expression: "true"}, {message: m}]'))).toMatchInlineSnapshot(`
      "rule.yaml:8:18: error: expected exactly one of expression, cue, found expression and cue [schema-choice]
          8 |   validations: [{cue: "a: int", expression: "true"}, {message: m}]
            |                  ^^^
            = at $.spec.validations[0].cue
      rule.yaml:8:54: error: expected exactly one of expression, cue, found none [schema-choice]
          8 |   validations: [{cue: "a: int", expression: "true"}, {message: m}]
            |                                                      ^^^^^^^^^^^^
            = at $.spec.validations[1]"
    `);
  });
});
