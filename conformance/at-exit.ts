const works = new Set<() => void>();

/** Does something when this process ends, unless it is called off by what this answers. Any number may be waiting for the end. */
export function atExit(work: () => void): () => void {
  if (works.size === 0) process.on('exit', workAll);
  works.add(work);
  return () => {
    if (works.delete(work) && works.size === 0) process.off('exit', workAll);
  };
}

function workAll(): void {
  for (const work of works) work();
}
