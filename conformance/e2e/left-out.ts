/** Specs that are not run, and why: the first that a spec's text contains. Each is reported as skipped. */
export const LEFT_OUT: readonly { readonly text: string; readonly why: string }[] = [
  {
    text: 'AdmissionWebhook [',
    why: 'its webhook server runs in a container, and the simulation runs none; conformance/apiserver has webhooks',
  },
  { text: 'CustomResourceConversionWebhook [', why: 'its webhook server runs in a container, and the simulation runs none' },
  {
    text: 'CustomResourceFieldSelectors [',
    why: 'its objects are converted by a webhook that runs in a container; conformance/apiserver asks the same of one version',
  },
  { text: 'Aggregator Should be able to support the 1.17 Sample API Server', why: 'the sample API server runs in a container' },
  {
    text: 'if the original version has been compacted away',
    why: 'waits minutes for etcd to compact; the tests of the embedded server compact it',
  },
  { text: 'API priority and fairness', why: 'requests are not queued, so there is nothing that flow schemas would configure' },
  { text: 'StorageVersionMigration', why: 'objects are kept in memory in the version in which they came: there is nothing to migrate' },
];
