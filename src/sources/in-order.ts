/**
 * Works on several items at a time and gives the results in the order of the items, which are asked for ahead too.
 * Work begins ahead only where `early` allows it; any other item is worked on when its turn comes. At most `width`
 * results wait. A failure shows when its turn comes; when the iteration ends early, everything begun is waited for and
 * handed to `discard`.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  width: number,
  early: (item: Item) => boolean,
  work: (item: Item) => Promise<Result>,
  discard: (result: Result) => Promise<void>,
): AsyncGenerator<Result> {
  const source = items[Symbol.asyncIterator]()
  const pull = async (): Promise<Pulled<Item, Result> | undefined> => {
    const { value: item, done } = await source.next()
    if (done === true) return undefined
    return { item, begun: early(item) ? quiet(work(item)) : undefined }
  }
  const queue: ReturnType<typeof pull>[] = []
  try {
    for (;;) {
      while (queue.length < width) queue.push(quiet(pull()))
      const first = await queue.shift()
      if (first === undefined) return
      yield await (first.begun ?? work(first.item))
    }
  } finally {
    for (const pulled of await Promise.allSettled(queue)) {
      if (pulled.status === 'fulfilled') await pulled.value?.begun?.then(discard, () => undefined)
    }
    await source.return?.()
  }
}

interface Pulled<Item, Result> {
  readonly item: Item
  readonly begun: Promise<Result> | undefined
}

/** Awaited when its turn comes; until then a failure waits there too. */
function quiet<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined)
  return promise
}
