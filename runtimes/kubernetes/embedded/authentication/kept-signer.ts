import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TokenSigner, tokenSigner } from './service-account-token.ts';

const FILE = 'service-account.key';

/** Signs with a key that is kept in a folder, so that tokens outlive the server. Made, with mode 0600, where there is none. */
export async function keptSigner(folder: string): Promise<TokenSigner> {
  const path = join(folder, FILE);
  try {
    return tokenSigner(createPrivateKey(await readFile(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const temporary = `${path}.new`;
  await writeFile(temporary, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await rename(temporary, path);
  return tokenSigner(privateKey);
}
