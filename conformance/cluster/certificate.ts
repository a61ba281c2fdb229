import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SuiteUnavailable } from '../suite.ts';
import { findOnPath } from '../tools/go-tool.ts';

export interface ServingCertificate {
  /** PEM; its own authority too. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

/** A self-signed certificate for `https://127.0.0.1`, made with openssl: two files `<name>.crt` and `<name>.key` in the folder. */
export async function makeServingCertificate(folder: string, name: string): Promise<ServingCertificate> {
  if (findOnPath('openssl') === undefined) throw new SuiteUnavailable('there is no openssl on PATH to make a certificate');
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', [...request, ...names, '-keyout', files.key, '-out', files.certificate], { timeout: 30_000 });
  return { certificate: readFileSync(files.certificate, 'utf8'), key: readFileSync(files.key, 'utf8') };
}
