import { type Infer, object, optional } from '../../text/shape.ts';
import { EffectError, type Netns, type Steps } from '../effect.ts';
import { ip, tolerating } from '../effects/iproute.ts';
import { routesTo } from '../effects/show.ts';
import { remember } from '../effects/step.ts';
import { addedBefore } from '../network/added-before.ts';
import { optionalLinkNameProblems } from '../network/link-name.ts';
import { describePlace, isGone, netnsOf, place } from '../network/place.ts';
import {
  describeRoute,
  isRoute,
  missingRoutes,
  ROUTE_PROTOCOL,
  resultRoute,
  routeCommand,
  routeProblems,
  type SettledRoute,
  settleRoute,
} from '../network/route.ts';
import { linkName, routes } from '../network/shapes.ts';
import type { Operation } from '../operation.ts';

const shape = object({
  routes: routes('The routes.'),
  dev: optional(linkName('Interface of routes that name none.')),
  in: place('Whose routes they are.'),
});
type Arguments = Infer<typeof shape>;

/**
 * Routes that go through interfaces which are there already. They have no place for a tag, only for a number of who made them; so what this
 * step adds is kept before, and nothing else is taken away. The same route of somebody else is a failure.
 */
export const ROUTE: Operation<Arguments> = {
  name: 'route',
  group: 'network',
  doc: 'Routes of the host or the container.',
  arguments: shape,
  outputs: {},
  lifetime: 'owned',
  validate: (args) => [
    ...optionalLinkNameProblems(args, 'dev'),
    ...args.routes.flatMap((route, index) => routeProblems(route, ['routes', index])),
  ],
  requires: () => [],
  lockKeys: () => [],

  *ensure(args, context) {
    const netns = netnsOf(args, context);
    const added = new Set(addedBefore<string>(context));
    for (const route of args.routes.map(settleRoute)) {
      const key = describeRoute(route);
      const isAgain = added.has(key);
      if (!isAgain) yield* remember({ added: [...added, key] });
      const obstacle = yield* tryAdd(netns, route, args.dev);
      if (obstacle !== undefined && !(isAgain && (yield* isThere(netns, route, args.dev)))) {
        yield* remember({ added: [...added] });
        throw new EffectError('exists', `there is another route to ${route.to} already`, obstacle.tried);
      }
      added.add(key);
    }
    return {};
  },

  *check(args, context) {
    const missing = yield* missingRoutes(netnsOf(args, context), args.routes.map(settleRoute), args.dev);
    return missing.map((route) => `there is no route to ${describeRoute(route)}`);
  },

  *undo(args, context) {
    if (isGone(args, context)) return;
    const added = new Set(addedBefore<string>(context));
    const ours = args.routes.map(settleRoute).filter((route) => added.has(describeRoute(route)));
    yield* ip(
      netnsOf(args, context),
      ...ours.toReversed().map((route) => tolerating(routeCommand('del', route, defaults(args.dev)), 'missing', 'invalid')),
    );
  },

  predict: () => ({}),
  describe: (args) => `routes to ${args.routes.map((route) => describeRoute(settleRoute(route))).join(', ')}${describePlace(args)}`,
  result: (args) => (args.in === 'host' ? {} : { routes: args.routes.map((route) => resultRoute(settleRoute(route))) }),
};

const defaults = (dev: string | undefined) => ({ protocol: ROUTE_PROTOCOL, ...(dev !== undefined && { dev }) });

/** What says that there is a route to this network already. */
function* tryAdd(netns: Netns, route: SettledRoute, dev: string | undefined): Steps<EffectError | undefined> {
  try {
    yield* ip(netns, routeCommand('add', route, defaults(dev)));
    return undefined;
  } catch (error) {
    if (error instanceof EffectError && error.code === 'exists') return error;
    throw error;
  }
}

function* isThere(netns: Netns, route: SettledRoute, dev: string | undefined): Steps<boolean> {
  const rows = yield* routesTo(netns, route.to);
  return rows.some((row) => row.protocol === String(ROUTE_PROTOCOL) && isRoute(row, route, dev));
}
