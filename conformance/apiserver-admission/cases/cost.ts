import { type AdmissionCase, createConfigMap, type Draft, single, vap } from '../case.ts';

/** Nested loops over a list of ten: 10^depth steps. */
function loops(depth: number, body: string): string {
  let expression = body;
  for (let level = 0; level < depth; level++) {
    expression = `variables.ten.all(x${level}, ${expression})`;
  }
  return expression;
}

const ten = { name: 'ten', expression: 'object.data.ten.split(",")' };
const request = createConfigMap({
  ten: '0,1,2,3,4,5,6,7,8,9',
  long: 'ab'.repeat(20_000),
  hundred: Array.from({ length: 100 }, (_, index) => index).join(','),
});

function cost(name: string, validations: readonly (string | Draft)[], spec: Draft = {}, bindings: readonly Draft[] = [{}]): AdmissionCase {
  const hundred = { name: 'hundred', expression: 'object.data.hundred.split(",")' };
  return single(`cost/${name}`, vap(validations, { variables: [ten, hundred], ...spec }, bindings), request);
}

const third = loops(3, 'true');
const fourth = loops(4, 'true');
const sixth = loops(6, 'true');

/** Run-time cost: a limit per expression, one per policy, and what they do to messages, annotations and conditions. */
export const costCases: readonly AdmissionCase[] = [
  cost('within', [third]),
  cost('a hundred thousand steps', [loops(5, 'true')]),
  cost('one expression beyond its limit', [sixth]),
  cost('one expression beyond its limit, Ignore', [sixth], { failurePolicy: 'Ignore' }),
  cost('one expression beyond its limit, Warn', [sixth], {}, [{ validationActions: ['Warn'] }]),
  cost('a denial before the limit', [{ expression: 'false', message: 'first' }, sixth]),
  cost('the limit before a denial', [sixth, { expression: 'false', message: 'second' }]),
  cost('a variable beyond the limit', ['variables.big'], { variables: [ten, { name: 'big', expression: sixth }] }),
  cost('a variable beyond the limit, not used', ['true'], { variables: [ten, { name: 'big', expression: sixth }] }),
  cost(
    'many expressions within',
    Array.from({ length: 20 }, () => third),
  ),
  cost(
    'many expressions beyond the budget of the policy',
    Array.from({ length: 64 }, () => fourth + ' && ' + fourth + ' && ' + fourth + ' && ' + fourth),
  ),
  cost('many loops beyond the budget of the policy, last one false', [...Array.from({ length: 40 }, () => loops(5, 'true')), 'false']),
  cost('the message beyond the limit', [{ expression: 'false', message: 'text', messageExpression: `${sixth} ? "a" : "b"` }]),
  cost('the message beyond the limit, no text', [{ expression: 'false', messageExpression: `${sixth} ? "a" : "b"` }]),
  cost('a regular expression over a long text', [
    'object.data.long.matches("(ab)*") && variables.hundred.all(x, object.data.long.matches("^(ab|ba)*$"))',
  ]),
  cost('contains over a long text', ['variables.hundred.all(x, variables.hundred.all(y, !object.data.long.contains("zz")))']),
  cost('concatenation', ['variables.hundred.all(x, (object.data.long + object.data.long).size() > 0)']),
  cost('split of a long text', ['variables.hundred.all(x, variables.hundred.all(y, object.data.long.split("b").size() > 0))']),
  cost('equality of long texts', ['variables.hundred.all(x, variables.hundred.all(y, object.data.long == object.data.long))']),
  cost('equality of objects', ['variables.hundred.all(x, variables.hundred.all(y, object == object))']),
  cost('membership', ['variables.hundred.all(x, variables.hundred.all(y, x in variables.hundred))']),
  cost('upper case', ['variables.hundred.all(x, variables.hundred.all(y, object.data.long.upperAscii() != ""))']),
  cost('quantity', ['variables.hundred.all(x, variables.hundred.all(y, quantity(x).isLessThan(quantity("1k")) || true))']),
  cost('optionals', ['variables.hundred.all(x, variables.hundred.all(y, object.?data[?x].orValue("1") == "1"))']),
  cost('format', ['variables.hundred.all(x, variables.hundred.all(y, "%s-%s".format([x, y]) != ""))']),
  cost('annotation beyond the limit', ['true'], { auditAnnotations: [{ key: 'k', valueExpression: `${sixth} ? "a" : "b"` }] }),
  cost('condition beyond its limit', ['false'], {
    variables: [],
    matchConditions: [{ name: 'big', expression: sixth.replaceAll('variables.ten', 'object.data.ten.split(",")') }],
  }),
  cost('conditions beyond their budget', ['false'], {
    variables: [],
    matchConditions: Array.from({ length: 10 }, (_, index) => ({
      name: `c${index}`,
      expression: loops(5, 'true').replaceAll('variables.ten', '["0","1","2","3","4","5","6","7","8","9"]'),
    })),
  }),
];
