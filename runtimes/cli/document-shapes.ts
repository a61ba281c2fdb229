import {
  admissionRule,
  mutatingAdmissionPolicy,
  mutatingAdmissionPolicyBinding,
  ruleBundle,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
} from '../../engine/rules/admission/document.ts';
import { networkRuleForEditors } from '../../engine/rules/network/document.ts';
import { cniInvocation } from '../../engine/rules/network/recorded-invocation.ts';
import { reconcileRule } from '../../engine/rules/reconcile/document.ts';
import { resourceGraphDefinition } from '../../engine/rules/reconcile/kro/document.ts';
import { ruleTest } from '../../engine/rules/rule-test/document.ts';
import { OPERATIONS } from '../../engine/step/operations/index.ts';
import type { ShapeNode } from '../../engine/text/shape.ts';

/** The kinds of documents that people write for us, by kind: what editors are told about. */
export const documentShapes: Readonly<Record<string, ShapeNode>> = {
  AdmissionRule: admissionRule,
  ReconcileRule: reconcileRule,
  NetworkRule: networkRuleForEditors(OPERATIONS),
  RuleBundle: ruleBundle,
  RuleTest: ruleTest,
  CNIInvocation: cniInvocation,
  ValidatingAdmissionPolicy: validatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding: validatingAdmissionPolicyBinding,
  MutatingAdmissionPolicy: mutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding: mutatingAdmissionPolicyBinding,
  ResourceGraphDefinition: resourceGraphDefinition,
};
