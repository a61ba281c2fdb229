/** Line of the journal, whose JSON is the last word: `<checksum> <length> <synced> <JSON>`. */
const LINE = /^[0-9a-f]{8} \d+ \d+ (\{.*\})$/;

interface Entry {
  readonly kind: string;
  readonly id?: string;
  readonly state?: string;
  readonly record?: { readonly id: string; readonly rule: string; readonly state?: string };
}

/**
 * What a journal of the daemon still holds, one line for each record: `<rule> <id> <state>`. What was written and forgotten again is as if
 * it had never been.
 */
export function journalRecords(text: string): readonly string[] {
  const records = new Map<string, { readonly rule: string; state: string }>();
  for (const line of text.split('\n')) {
    const json = LINE.exec(line)?.[1];
    if (json === undefined) continue;
    const entry = JSON.parse(json) as Entry;
    if (entry.kind === 'record' && entry.record !== undefined)
      records.set(entry.record.id, { rule: entry.record.rule, state: entry.record.state ?? '' });
    const record = entry.id === undefined ? undefined : records.get(entry.id);
    if (entry.kind === 'state' && record !== undefined) record.state = entry.state ?? '';
    if (entry.kind === 'forgotten' && entry.id !== undefined) records.delete(entry.id);
  }
  return [...records].map(([id, { rule, state }]) => `${rule} ${id} ${state}`).sort();
}

/** Ids of attachments whose ADD was answered, from the daemon's list of answers: `+<id>` for an ADD, `-<id>` for a DEL. */
export function answeredAttachments(text: string): readonly string[] {
  const answered = new Set<string>();
  for (const line of text.split('\n')) {
    if (line.startsWith('+')) answered.add(line.slice(1));
    if (line.startsWith('-')) answered.delete(line.slice(1));
  }
  return [...answered].sort();
}
