import { join, resolve } from 'node:path';
import { type WebhookAddress, webhookConfigurations } from '../admission/webhook-configuration.ts';
import { developmentTls } from '../host/certificates.ts';
import { readTextFile } from '../host/text-files.ts';
import { type CommandRun, EXIT, type ParsedArguments, UsageError } from './command.ts';
import type { CommandContext } from './context.ts';
import { loadBundles } from './load-bundle.ts';
import { paintFor, renderDiagnostics } from './report.ts';

/** `fairlead serve --print-webhook-config`: what to apply so that an API server calls the webhook for these rules. */
export const printWebhookConfig: CommandRun = async (args, context) => {
  const address = addressOf(args.text('print-webhook-config') ?? '');
  const bundle = await loadBundles(args.arguments, context);
  if (bundle.diagnostics.length > 0) context.err.write(renderDiagnostics(bundle.diagnostics, paintFor(args, context, context.err)));
  if (bundle.program === undefined) return EXIT.findings;
  const caBundle = await caBundleOf(args, context);
  const configurations = webhookConfigurations(bundle.program.admission, {
    name: address.kind === 'service' ? address.name : 'fairlead',
    address,
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(address.kind === 'service' ? { excludedUser: `system:serviceaccount:${address.namespace}:${address.name}` } : {}),
  });
  const { stringify } = await import('yaml');
  context.out.write(configurations.map((configuration) => stringify(configuration, { lineWidth: 0 })).join('---\n'));
  return EXIT.ok;
};

function addressOf(text: string): WebhookAddress {
  if (/^https:\/\/[^/?#\s]+\/?$/.test(text)) return { kind: 'url', url: text };
  const [, namespace, name, port] = /^([a-z0-9-]{1,63})\/([a-z0-9-]{1,63})(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new UsageError(`--print-webhook-config must be <namespace>/<service> or https://<host>:<port>, not ${JSON.stringify(text)}`);
  }
  return { kind: 'service', namespace, name, ...(port === undefined ? {} : { port: Number(port) }) };
}

/** The authorities the API server should believe: given, or those of the development folder. */
async function caBundleOf(args: ParsedArguments, context: CommandContext): Promise<string | undefined> {
  const file = args.text('webhook-ca');
  if (file !== undefined) return readTextFile(resolve(context.cwd, file), file).text;
  const folder = args.text('dev-tls');
  if (folder === undefined) return undefined;
  const hosts = args.all('dev-host');
  const tls = await developmentTls({
    folder: resolve(context.cwd, folder),
    hosts: hosts.length > 0 ? hosts : ['localhost', '127.0.0.1', '::1'],
  });
  tls.close();
  return readTextFile(resolve(context.cwd, join(folder, 'ca.crt')), join(folder, 'ca.crt')).text;
}
