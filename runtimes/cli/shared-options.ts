import type { OptionSpec } from './command.ts';

/** Options that several commands have. */

export const OUTPUT = (...values: readonly string[]): OptionSpec => ({
  name: 'output',
  short: 'o',
  value: 'format',
  values,
  default: 'text',
  summary: 'What to print: text for people, the others for machines.',
});

export const CLUSTER_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'kubeconfig',
    value: 'file',
    summary: 'Kubeconfig of the cluster. Default: as kubectl finds it, then the service account of the pod this runs in.',
  },
  { name: 'context', value: 'name', summary: 'Context of the kubeconfig. Default: its current one.' },
  { name: 'kube-api', value: 'url', summary: 'API server that asks for no credentials, such as http://127.0.0.1:8001 of kubectl proxy.' },
];

export const LOG_OPTION: OptionSpec = {
  name: 'log',
  value: 'format',
  values: ['json', 'text', 'off'],
  default: 'json',
  summary: 'How to log on standard error.',
};
