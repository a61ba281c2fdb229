import { type AdmissionPlugin, isAbout, refusal } from './chain.ts';

/** Kubernetes: apiserver pkg/admission/plugin/namespace/lifecycle/admission.go immortalNamespaces. */
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/** Keeps namespaces that a cluster can't be without. That nothing comes into those that go is seen to when objects are created. */
export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  validate(attributes) {
    if (attributes.operation === 'DELETE' && isAbout(attributes, '', 'namespaces') && IMMORTAL.has(attributes.name))
      throw refusal(attributes, 'this namespace may not be deleted');
  },
};
