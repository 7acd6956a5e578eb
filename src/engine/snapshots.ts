import type { Snapshot, Source } from '../sources/source.ts'
import type { Application, Context } from './context.ts'

/** About how many bytes the sources will give, for progress and the free-space check. */
export async function estimate(
  ctx: Context,
  sources: readonly Source[],
  claimed: ReadonlySet<string>,
): Promise<number> {
  ctx.emit({ type: 'phase', phase: 'prepare', label: 'looking at the sources' })
  let bytes = 0
  for (const source of sources) bytes += await source.estimate(ctx.signal, claimed)
  return bytes
}

/** One source and what it showed at its moment. */
export interface Taken {
  readonly source: Source
  readonly snapshot: Snapshot
}

export interface Snapshots extends AsyncDisposable {
  readonly taken: readonly Taken[]
}

/** All snapshots before the first byte is sealed, so that they show about one moment; databases come first. */
export async function takeSnapshots(
  ctx: Context,
  { sources, profile }: Application,
  scratch: string,
  claimed: ReadonlySet<string>,
): Promise<Snapshots> {
  const stack = new AsyncDisposableStack()
  const taken: Taken[] = []
  const named = profile.examine !== undefined
  try {
    for (const source of sources.toSorted(
      (a, b) => Number(b.claims().length > 0) - Number(a.claims().length > 0),
    )) {
      ctx.emit({ type: 'phase', phase: 'snapshot', label: `snapshot of ${source.name}` })
      const snapshot = await source.snapshot({ signal: ctx.signal, now: ctx.now, scratch, claimed, named })
      stack.use(snapshot)
      taken.push({ source, snapshot })
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
  return { taken, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
