/** For tests: waits for what sockets, files and other processes bring. */

/** Milliseconds after which nothing will come any more. A machine that is busy with something else takes long, and turns of ours say nothing of it. */
const PATIENCE = 15_000;

/** Waits until something is so, and leaves the machine to those that bring it about. Throws where it does not come about. */
export async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + PATIENCE; !condition(); ) {
    if (performance.now() > end) throw new Error('it does not come');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
