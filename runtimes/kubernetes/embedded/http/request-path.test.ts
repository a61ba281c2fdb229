import { expect, test } from 'vitest';
import { parseResourcePath } from './request-path.ts';

const at = (path: string) => {
  const found = parseResourcePath(path);
  if (found === undefined) return undefined;
  const { group, version, namespace, resource, name, subresource, watch } = found;
  return [group, version, namespace, resource, name, subresource, watch ? 'watch' : ''].join('|');
};

// Kubernetes: apiserver pkg/endpoints/request/requestinfo_test.go.
test.each([
  ['/api/v1/pods', '|v1||pods|||'],
  ['/api/v1/namespaces', '|v1||namespaces|||'],
  ['/api/v1/namespaces/x', '|v1|x|namespaces|x||'],
  ['/api/v1/namespaces/x/', '|v1|x|namespaces|x||'],
  ['/api/v1/namespaces/x/status', '|v1|x|namespaces|x|status|'],
  ['/api/v1/namespaces/x/finalize', '|v1|x|namespaces|x|finalize|'],
  ['/api/v1/namespaces/x/pods', '|v1|x|pods|||'],
  ['/api/v1/namespaces/x/pods/a', '|v1|x|pods|a||'],
  ['/api/v1/namespaces/x/pods/a/binding', '|v1|x|pods|a|binding|'],
  ['/apis/apps/v1/namespaces/x/deployments/a/scale', 'apps|v1|x|deployments|a|scale|'],
  ['/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a', 'rbac.authorization.k8s.io|v1||clusterroles|system:a||'],
  ['/apis/rbac.authorization.k8s.io/v1/clusterroles/a%2Fb', 'rbac.authorization.k8s.io|v1||clusterroles|a/b||'],
  ['/api/v1/watch/pods', '|v1||pods|||watch'],
  ['/api/v1/watch/namespaces/x/pods/a', '|v1|x|pods|a||watch'],
  ['/api/v1', undefined],
  ['/apis/apps/v1', undefined],
  ['/apis/apps', undefined],
  ['/healthz', undefined],
  ['/api/v1/pods/%zz', undefined],
])('%s', (path, expected) => {
  expect(at(path)).toBe(expected);
});
