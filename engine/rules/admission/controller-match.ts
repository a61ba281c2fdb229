import { CONTROLLER_TEMPLATE, CRON_JOB_TEMPLATE, TEMPLATE_RESOURCES, type TemplatePlace } from './pod-template.ts';
import type { MatchCriteria } from './policy.ts';
import type { ResourceRule } from './resource-match.ts';

/** The rules of a policy about pods, for the controllers that keep their template at one place. */
export interface ControllerVariant {
  readonly place: TemplatePlace;
  readonly match: MatchCriteria;
}

/**
 * What a policy about pods is about when it is extended to pod controllers: one variant for each place of a template. Empty
 * when no resource rule names pods. `kinds` limits the controllers.
 */
export function controllerVariants(match: MatchCriteria, kinds?: ReadonlySet<string>): readonly ControllerVariant[] {
  return [CONTROLLER_TEMPLATE, CRON_JOB_TEMPLATE].flatMap((place): ControllerVariant[] => {
    const resourceRules = match.resourceRules.flatMap((rule) => controllerRules(rule, place, kinds));
    if (resourceRules.length === 0) return [];
    const excluded = match.excludeResourceRules.flatMap((rule) => controllerRules(rule, place, kinds));
    return [{ place, match: { ...match, resourceRules, excludeResourceRules: [...match.excludeResourceRules, ...excluded] } }];
  });
}

/** A rule that names pods, about controllers instead; nothing for other rules. */
function controllerRules(rule: ResourceRule, place: TemplatePlace, kinds: ReadonlySet<string> | undefined): readonly ResourceRule[] {
  if (!namesPods(rule)) return [];
  return TEMPLATE_RESOURCES.filter((entry) => entry.place === place).flatMap((entry): ResourceRule[] => {
    const resources = Object.entries(entry.resources)
      .filter(([, kind]) => kinds === undefined || kinds.has(kind))
      .map(([resource]) => resource);
    return resources.length === 0 ? [] : [{ ...rule, apiGroups: [entry.group], apiVersions: [entry.version], resources }];
  });
}

/** Whether a rule is about pods by name: `*` means everything, controllers included, and is not extended. */
export function namesPods(rule: ResourceRule): boolean {
  return rule.resources.includes('pods') && (rule.apiGroups.includes('') || rule.apiGroups.includes('*'));
}
