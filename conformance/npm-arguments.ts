/**
 * Arguments of a script as the user typed them. `npm run conformance cel --json` keeps `--json` for npm itself and tells the script
 * only by an environment variable (`npm run … -- --json` passes it on): what npm kept is put back here.
 *
 * `--corpus DIR` arrives as `npm_config_corpus=true` with DIR as the last plain argument, `--corpus=DIR` as `npm_config_corpus=DIR`.
 */
export function argumentsWithNpm(
  given: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  options: { readonly flags: readonly string[]; readonly values: readonly string[] },
): string[] {
  const result = [...given];
  for (const flag of options.flags) {
    if (environment[`npm_config_${flag}`] === 'true' && !result.includes(`--${flag}`)) result.push(`--${flag}`);
  }
  for (const name of options.values) {
    const value = environment[`npm_config_${name}`];
    if (value === undefined || value === '' || result.some((each) => each === `--${name}` || each.startsWith(`--${name}=`))) continue;
    if (value !== 'true') result.push(`--${name}`, value);
    else {
      const at = result.findLastIndex((each) => !each.startsWith('-'));
      if (at >= 0) result.splice(at, 1, `--${name}`, result[at]!);
    }
  }
  return result;
}
