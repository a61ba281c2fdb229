import type { GroupResource } from '../registry.ts';
import { EVENT_CONVERSION } from './conversions/events.ts';
import { AUTOSCALER_CONVERSION } from './conversions/horizontal-pod-autoscalers.ts';
import type { ResourceDefinition } from './definition.ts';

/** Resources that are served in several versions or groups, and where their objects are. By `apiVersion/resource`. */
export const STORED_ELSEWHERE: ReadonlyMap<string, { readonly storedIn: GroupResource; readonly apiVersion: string }> = new Map([
  ['autoscaling/v1/horizontalpodautoscalers', { storedIn: 'autoscaling/horizontalpodautoscalers', apiVersion: 'autoscaling/v2' }],
  ['events.k8s.io/v1/events', { storedIn: '/events', apiVersion: 'v1' }],
]);

/** Between those versions and the stored ones, by `apiVersion/resource`. */
export const CONVERSIONS: ReadonlyMap<string, NonNullable<ResourceDefinition['conversion']>> = new Map([
  ['autoscaling/v1/horizontalpodautoscalers', AUTOSCALER_CONVERSION],
  ['events.k8s.io/v1/events', EVENT_CONVERSION],
]);
