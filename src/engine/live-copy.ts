import path from 'node:path'
import { isSealiftError } from '../errors.ts'
import type { Places } from '../profiles/examination.ts'
import type { Context } from './context.ts'

/** A source by what must be known of it to look at its data. */
export interface Looked {
  readonly name: string
  readonly kind: string
  readonly path: string
}

/**
 * What a profile may look at of an application that runs: files where they lie, each database as a copy of its own in
 * `scratch`, made by a process of its own. A database that is not on this host is left out.
 */
export async function copyLive(ctx: Context, looked: readonly Looked[], scratch: string): Promise<Places> {
  const places = new Map<string, string>()
  for (const { name, kind, path: at } of looked) {
    const driver = ctx.sourceDrivers[kind]
    if (driver?.copy === undefined) {
      places.set(name, at)
      continue
    }
    ctx.emit({ type: 'phase', phase: 'snapshot', label: `copying ${name} to look at it` })
    const copy = path.join(scratch, `${name}.live`)
    try {
      await driver.copy(at, copy, { signal: ctx.signal, now: ctx.now })
      places.set(name, copy)
    } catch (error) {
      if (!isSealiftError(error, 'SOURCE_NOT_FOUND')) throw error
    }
  }
  return places
}
