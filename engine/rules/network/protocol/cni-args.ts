import { goQuote } from '../../../cel/go-quote.ts';
import { setOwn } from '../../../object/json.ts';

export type CniArgs =
  | { readonly ok: true; readonly args: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly message: string };

/**
 * Reads CNI_ARGS, `K=V;K=V`. A rule may read any key, so none is unknown, and `IgnoreUnknown` is a key as the others.
 * CNI: pkg/types/args.go, LoadArgs.
 */
export function readCniArgs(text: string): CniArgs {
  const args: Record<string, string> = {};
  if (text === '') return { ok: true, args };
  for (const pair of text.split(';')) {
    const parts = pair.split('=');
    if (parts.length !== 2) return { ok: false, message: `ARGS: invalid pair ${goQuote(pair)}` };
    setOwn(args, parts[0] as string, parts[1] as string);
  }
  return { ok: true, args };
}

/** CNI_ARGS as text. */
export function formatCniArgs(args: Readonly<Record<string, string>>): string {
  return Object.entries(args)
    .map(([key, value]) => `${key}=${value}`)
    .join(';');
}
