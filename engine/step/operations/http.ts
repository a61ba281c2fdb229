import { DYN, INT } from '../../cel/types.ts';
import type { Json, JsonObject } from '../../object/json.ts';
import { any, defaulted, type Infer, integer, list, map, object, oneOf, optional, string } from '../../text/shape.ts';
import { EffectError, type HttpAnswer, type Steps } from '../effect.ts';
import { http } from '../effects/outside.ts';
import { remember } from '../effects/step.ts';
import type { ArgumentProblem, Operation } from '../operation.ts';
import { BEGUN, problemsBy, problemsOfEach, wasBegun } from '../outside/check-and-undo.ts';

const requestFields = {
  method: defaulted(oneOf('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'), 'GET'),
  url: string({ maxLength: 8192, doc: '`http://` or `https://`.' }),
  headers: defaulted(map(string({ maxLength: 8192 }), { doc: 'Never shown or logged.' }), {}),
  body: optional(any({ doc: 'Text, or what is sent as JSON.' })),
  expect: optional(
    list(integer({ minimum: 100, maximum: 599 }), { minItems: 1, maxItems: 64, doc: 'Statuses of success; by default 200 to 299.' }),
  ),
};
const request = object(requestFields);
type RequestArguments = Infer<typeof request>;

const shape = object({
  ...requestFields,
  check: optional(object(requestFields, { doc: 'A request that succeeds while all is well.' })),
  undo: optional(
    object(requestFields, { doc: 'A request that takes back what the first one did. That nothing is left (404, 410) is success, too.' }),
  ),
});
type Arguments = Infer<typeof shape> & JsonObject;
type Outputs = { readonly status: number; readonly body: Json };

/** Sends a request. It must bear to be sent again when it was interrupted, and is only undone where it was begun. */
export const HTTP: Operation<Arguments, Outputs> = {
  name: 'http',
  group: 'outside',
  doc: 'Sends an HTTP request.',
  arguments: shape as Operation<Arguments>['arguments'],
  outputs: { status: INT, body: DYN },
  lifetime: 'owned',

  validate: (args) => problemsOfEach<RequestArguments>(args, requestProblems),
  requires: () => [],
  lockKeys: () => [],

  *ensure(args) {
    if (args.undo !== undefined) yield* remember(BEGUN);
    const { status, body } = yield* send(args, isSuccess);
    return { status, body };
  },
  *check(args) {
    return args.check === undefined ? [] : yield* problemsBy(send(args.check, isSuccess));
  },
  *undo(args, context) {
    if (args.undo === undefined || !wasBegun(context)) return;
    yield* send(args.undo, (status) => isSuccess(status) || status === 404 || status === 410);
  },
  predict: () => ({}),
  describe: requestText,
};

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** @throws EffectError `other` for a status that is no success. */
function* send(args: RequestArguments, isExpected: (status: number) => boolean): Steps<HttpAnswer> {
  const { method, url, body, expect } = args;
  const isText = body === undefined || typeof body === 'string';
  const hasType = Object.keys(args.headers).some((name) => name.toLowerCase() === 'content-type');
  const answer = yield* http({
    method,
    url,
    headers: { ...(isText || hasType ? {} : { 'Content-Type': 'application/json' }), ...args.headers },
    ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
  });
  if (expect === undefined ? isExpected(answer.status) : expect.includes(answer.status)) return answer;
  throw new EffectError('other', `answered ${answer.status}`, requestText(args));
}

/** Without what may be secret: a user, a query. */
function requestText({ method, url }: RequestArguments): string {
  const parts = /^(https?:\/\/)(?:[^/?#@]*@)?([^/?#]*)([^?#]*)/i.exec(url);
  return parts === null ? method : `${method} ${parts[1]}${parts[2]}${parts[3]}`;
}

function requestProblems({ url, headers }: RequestArguments, path: readonly string[]): readonly ArgumentProblem[] {
  return [
    ...(/^https?:\/\/[^\s/?#]+[^\s\\]*$/i.test(url)
      ? []
      : [{ path: [...path, 'url'], message: 'expected a URL that begins with http:// or https://' }]),
    ...Object.entries(headers).flatMap(([name, value]) =>
      /^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/.test(name) && !/[\0\r\n]/.test(value)
        ? []
        : [{ path: [...path, 'headers', name], message: `${JSON.stringify(name)} can't be sent as a header` }],
    ),
  ];
}
