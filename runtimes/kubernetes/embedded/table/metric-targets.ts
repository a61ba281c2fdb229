import { isJsonObject, type Json, type JsonObject } from '../../../../engine/object/json.ts';
import { fieldOf } from '../verbs/object-fields.ts';
import { type Cell, mapsAt } from './cell-values.ts';

const MOST = 2;

/** Present and wanted values of an autoscaler's metrics: `cpu: 12%/80%`. Kubernetes: printers.go formatHPAMetrics. */
export const metricTargets: Cell = (autoscaler) => {
  const specs = mapsAt(autoscaler, 'spec.metrics');
  if (specs.length === 0) return oldTarget(autoscaler);
  const statuses = mapsAt(autoscaler, 'status.currentMetrics');
  const texts = specs.map((spec, i) => metricText(spec, statuses[i]));
  const shown = texts.slice(0, MOST).join(', ');
  return texts.length > MOST ? `${shown} + ${texts.length - MOST} more...` : shown;
};

/** autoscaling/v1 has one number. */
function oldTarget(autoscaler: JsonObject): string {
  const target = fieldOf(autoscaler, 'spec', 'targetCPUUtilizationPercentage');
  if (typeof target !== 'number') return '<none>';
  const current = fieldOf(autoscaler, 'status', 'currentCPUUtilizationPercentage');
  return `cpu: ${typeof current === 'number' ? `${current}%` : '<unknown>'}/${target}%`;
}

const SOURCES: ReadonlyMap<Json | undefined, string> = new Map<Json | undefined, string>([
  ['Resource', 'resource'],
  ['ContainerResource', 'containerResource'],
  ['Pods', 'pods'],
  ['Object', 'object'],
  ['External', 'external'],
]);

function metricText(spec: JsonObject, status: JsonObject | undefined): string {
  const field = SOURCES.get(spec['type']);
  if (field === undefined) return '<unknown type>';
  const source = spec[field];
  const target = isJsonObject(source) && isJsonObject(source['target']) ? source['target'] : {};
  const current = (status && fieldOf(status, field, 'current')) ?? {};
  const now = (name: string, format: (value: Json) => string = String): string => {
    const value = isJsonObject(current) ? current[name] : undefined;
    return value === undefined || value === null ? '<unknown>' : format(value);
  };
  const percent = (value: Json): string => `${String(value)}%`;
  const average = target['averageValue'];
  if (field === 'resource' || field === 'containerResource') {
    const name = isJsonObject(source) ? String(source['name']) : '';
    if (average !== undefined) return `${name}: ${now('averageValue')}/${String(average)}`;
    const wanted = target['averageUtilization'];
    return `${name}: ${now('averageUtilization', percent)}/${typeof wanted === 'number' ? percent(wanted) : '<auto>'}`;
  }
  if (field === 'pods') return `${now('averageValue')}/${String(average)}`;
  return average !== undefined ? `${now('averageValue')}/${String(average)} (avg)` : `${now('value')}/${String(target['value'])}`;
}
