/**
 * Works on several items at a time and gives the results in the order of the items. Work begins ahead only where
 * `early` allows it; any other item is worked on when its turn comes. At most `width` results wait. A failure shows
 * when its turn comes; when the iteration ends early, everything begun is waited for and handed to `discard`.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  width: number,
  early: (item: Item) => boolean,
  work: (item: Item) => Promise<Result>,
  discard: (result: Result) => Promise<void>,
): AsyncGenerator<Result> {
  const queue: { readonly item: Item; readonly begun: Promise<Result> | undefined }[] = []
  try {
    for await (const item of items) {
      const begun = early(item) ? work(item) : undefined
      // Awaited when its turn comes; until then a failure waits there too.
      begun?.catch(() => undefined)
      queue.push({ item, begun })
      const first = queue.length < width ? undefined : queue.shift()
      if (first !== undefined) yield await (first.begun ?? work(first.item))
    }
    for (let first = queue.shift(); first !== undefined; first = queue.shift()) {
      yield await (first.begun ?? work(first.item))
    }
  } finally {
    for (const { begun } of queue) await begun?.then(discard, () => undefined)
  }
}
