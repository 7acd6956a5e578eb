import { networkInterfaces } from 'node:os'
import path from 'node:path'
import { SealiftError } from '../errors.ts'
import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { deviceOf, sharesWith } from './device.ts'
import type { Device } from './device.ts'
import type { Distance, Placement } from './report.ts'

/** Whether a copy at this distance outlives the application's disk, as far as can be seen. */
export function isOffHost(distance: Distance): boolean {
  return distance === 'other-host' || distance === 'other-device'
}

/** Looks where each target lies against all sources. One that cannot be looked at counts as on the same device. */
export async function placeTargets(
  ctx: Context,
  targets: readonly Target[],
  sources: Application['sources'],
): Promise<Placement[]> {
  const ownDevices: Device[] = []
  for (const { place } of sources) {
    // A source that is not there is told where it is read.
    const device = await deviceOf(place.path).catch(() => undefined)
    if (device !== undefined) ownDevices.push(device)
  }
  const placements: Placement[] = []
  for (const target of targets) placements.push(await placeTarget(ctx, target, ownDevices))
  return placements
}

async function placeTarget(
  ctx: Context,
  { name: target, location, host }: Target,
  own: readonly Device[],
): Promise<Placement> {
  if (host !== undefined && isThisHost(host, ctx.host)) {
    return { target, distance: 'this-host', detail: `${host} is this machine` }
  }
  if (!path.isAbsolute(location)) return { target, distance: 'other-host', detail: 'on another host' }
  try {
    const device = await deviceOf(location)
    if (own.some((one) => sharesWith(one, device))) {
      return { target, distance: 'same-device', detail: 'on a disk of the application: not off-host' }
    }
    const { network } = device
    return network === undefined
      ? { target, distance: 'other-device', detail: 'on another disk of this host' }
      : { target, distance: 'other-host', detail: `on another host (${network})` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { target, distance: 'same-device', detail: `cannot be looked at: ${reason}` }
  }
}

/** Throws TARGET_NOT_OFF_HOST for a target that has to be off this host and is not: a disk that is not mounted, often. */
export function refuseNear(
  { requireOffHost }: Application,
  placements: readonly Placement[],
  target: Target,
): void {
  if (requireOffHost?.has(target.name) !== true) return
  const placement = placements.find((one) => one.target === target.name)
  if (placement?.distance !== 'same-device') return
  const { name, location } = target
  throw new SealiftError('TARGET_NOT_OFF_HOST', { target: name, location, detail: placement.detail })
}

/** Names and addresses that are always, or now, this machine's. No name is looked up in the network. */
function isThisHost(host: string, own: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
  if (name === 'localhost' || name.endsWith('.localhost') || name === own.toLowerCase()) return true
  if (/^127\.\d+\.\d+\.\d+$/.test(name) || name.startsWith('::ffff:127.') || name === '::1') return true
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === name))
}
