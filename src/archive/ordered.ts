/**
 * Runs `work` on up to `width` items of `source` at once and yields the results in order. An error of an item, or of
 * the source, is thrown in its place in that order: everything before it has been yielded. Leaving the loop early
 * closes the source.
 */
export async function* inOrder<Item, Result>(
  source: AsyncIterable<Item>,
  width: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const items = source[Symbol.asyncIterator]()
  const started: Promise<Result>[] = []
  const start = async (): Promise<'started' | 'ended'> => {
    try {
      const { value, done } = await items.next()
      if (done === true) return 'ended'
      started.push(quiet(work(value)))
      return 'started'
    } catch (error) {
      started.push(quiet(Promise.reject(error)))
      return 'ended'
    }
  }
  let more = true
  try {
    for (;;) {
      while (more && started.length < width) more = (await start()) === 'started'
      const first = started.shift()
      if (first === undefined) return
      yield await first
    }
  } finally {
    await items.return?.()
  }
}

/** It will be awaited later; until then its failure is not an unhandled one. */
function quiet<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined)
  return promise
}
