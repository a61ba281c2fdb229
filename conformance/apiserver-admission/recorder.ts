import { createServer } from 'node:https';
import type { AdmissionRequest } from '../../engine/rules/admission/decision.ts';
import { parseJsonBody } from '../../runtimes/host/json-body.ts';
import { makeServingCertificate } from '../cluster/certificate.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { MARK } from './plan.ts';

/** The two times an API server shows an object to admission: as it was sent and defaulted, and as it would be stored. */
export interface RecordedRequest {
  mutating?: AdmissionRequest;
  validating?: AdmissionRequest;
}

/** A webhook that allows everything and keeps what it was asked, by the request's mark. */
export interface Recorder {
  readonly requests: ReadonlyMap<string, RecordedRequest>;
  close(): Promise<void>;
}

const CONFIGURATION = 'conformance-recorder';

/** Starts the webhook and registers it for every request; settles when the API server calls it. */
export async function startRecorder(cluster: Cluster): Promise<Recorder> {
  const { certificate, key } = await makeServingCertificate(cluster.folder, CONFIGURATION);
  const requests = new Map<string, RecordedRequest>();
  const server = createServer({ cert: certificate, key }, (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { request } = parseJsonBody(Buffer.concat(chunks)) as { request: AdmissionRequest };
      const mark = request.userInfo.extra?.[MARK]?.[0];
      if (mark !== undefined) {
        const recorded = requests.get(mark) ?? {};
        recorded[incoming.url?.startsWith('/mutating') ? 'mutating' : 'validating'] = request;
        requests.set(mark, recorded);
      }
      const answer = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: request.uid, allowed: true } };
      outgoing.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const kinds = { mutating: 'MutatingWebhookConfiguration', validating: 'ValidatingWebhookConfiguration' } as const;
  for (const [phase, kind] of Object.entries(kinds)) {
    const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s`;
    await cluster.admin.expect({
      method: 'POST',
      path,
      body: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind,
        metadata: { name: CONFIGURATION },
        webhooks: [
          {
            name: `${phase}.conformance.example`,
            clientConfig: { url: `https://127.0.0.1:${port}/${phase}`, caBundle: Buffer.from(certificate).toString('base64') },
            rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }],
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            failurePolicy: 'Ignore',
          },
        ],
      },
    });
  }
  await waitUntilCalled(cluster, requests);
  return {
    requests,
    async close() {
      for (const kind of Object.values(kinds)) {
        const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s/${CONFIGURATION}`;
        await cluster.admin.expect({ method: 'DELETE', path });
      }
      server.close();
      server.closeAllConnections();
    },
  };
}

async function waitUntilCalled(cluster: Cluster, requests: ReadonlyMap<string, RecordedRequest>): Promise<void> {
  const deadline = Date.now() + 30_000;
  const mark = 'probe';
  for (;;) {
    await cluster.admin.expect({
      method: 'POST',
      path: '/api/v1/namespaces/default/configmaps',
      query: { dryRun: 'All' },
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'probe' } },
      impersonate: { user: 'admin', groups: ['system:masters'], extra: { [MARK]: [mark] } },
    });
    const seen = requests.get(mark);
    if (seen?.mutating && seen.validating) return;
    if (Date.now() > deadline) throw new Error('the API server did not call the recording webhook within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
