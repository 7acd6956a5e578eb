import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Application } from './context.ts'

/**
 * Which targets lie off the application's disk, by name: false for a folder on a disk that is backed up to it, true for
 * another host or another disk. A target whose place cannot be looked at is not in the answer.
 */
export async function offHost({ targets, sources }: Application): Promise<ReadonlyMap<string, boolean>> {
  const devices = new Set<number>()
  for (const { place } of sources) {
    const device = await deviceOf(place.path)
    if (device !== undefined) devices.add(device)
  }
  const flags = new Map<string, boolean>()
  for (const { name, location } of targets) {
    if (!path.isAbsolute(location)) flags.set(name, true)
    else {
      const device = await deviceOf(location)
      if (device !== undefined && devices.size > 0) flags.set(name, !devices.has(device))
    }
  }
  return flags
}

/** The device of a place, or of the nearest folder above it that is there. */
async function deviceOf(place: string): Promise<number | undefined> {
  for (let at = place; ; at = path.dirname(at)) {
    const found = await stat(at).catch(() => undefined)
    if (found !== undefined || at === path.dirname(at)) return found?.dev
  }
}
