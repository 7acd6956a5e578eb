import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { systemCode } from '../errors.ts'

/** Where the kernel tells of mounts and disks; a test has its own. */
export interface Kernel {
  readonly mountinfo: string
  readonly sys: string
}

const linux: Kernel = { mountinfo: '/proc/self/mountinfo', sys: '/sys' }

/** What a place lies on. Two places that share an entry of `on` are lost together. */
export interface Device {
  readonly on: ReadonlySet<string>
  /** A file system of another machine: its type, `nfs4`. */
  readonly network?: string
}

const networkTypes =
  /^(nfs4?|cifs|smb3|smbfs|ceph|glusterfs|9p|afs|lustre|beegfs|fuse\.(sshfs|rclone|s3fs|ceph|glusterfs|davfs2?))$/

/**
 * What the folder or file at `place` lies on, or would lie on if it were made. The device number alone does not tell: two
 * partitions have two and go with one disk, each subvolume of btrfs has one of its own, and a bind mount has that of
 * what it shows. So the disks below are looked up, as far as the kernel names them.
 */
export async function deviceOf(place: string, kernel: Kernel = linux): Promise<Device> {
  const { real, dev } = await nearest(place)
  const on = new Set([`device ${dev}`])
  const [major, minor] = numbersOf(dev)
  if (major !== 0) {
    for (const disk of await disksOf(kernel, `${major}:${minor}`)) on.add(disk)
    return { on }
  }
  const mount = await mountOf(kernel, real)
  if (mount === undefined) return { on }
  const { type, source } = mount
  if (networkTypes.test(type)) return { on: on.add(`${type} ${source}`), network: type }
  if (type === 'zfs') on.add(`pool ${source.split('/')[0] ?? source}`)
  if (source.startsWith('/dev/')) {
    on.add(`source ${source}`)
    const block = await stat(source).catch(() => undefined)
    if (block !== undefined) {
      for (const disk of await disksOf(kernel, numbersOf(block.rdev).join(':'))) on.add(disk)
    }
  }
  return { on }
}

/** Whether what takes one of two places may take the other with it. */
export function sharesWith(a: Device, b: Device): boolean {
  return [...a.on].some((one) => b.on.has(one))
}

/** The place itself, or the nearest folder above it that exists, without symlinks. */
async function nearest(place: string): Promise<{ real: string; dev: number }> {
  for (let at = path.resolve(place); ; at = path.dirname(at)) {
    try {
      const real = await realpath(at)
      return { real, dev: (await stat(real)).dev }
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ENOTDIR') throw error
      if (at === path.dirname(at)) throw error
    }
  }
}

/** Linux packs a device number into 64 bits (gnu_dev_makedev). */
function numbersOf(dev: number): [major: number, minor: number] {
  const wide = BigInt(dev)
  const major = ((wide >> 8n) & 0xfffn) | ((wide >> 32n) & ~0xfffn)
  const minor = (wide & 0xffn) | ((wide >> 12n) & 0xffffff00n)
  return [Number(major), Number(minor)]
}

/** The whole disks that a block device is a part of or made of: of a partition, of LVM, of an encrypted volume, of RAID. */
async function disksOf({ sys }: Kernel, numbers: string): Promise<string[]> {
  const folder = await realpath(path.join(sys, 'dev/block', numbers)).catch(() => undefined)
  return folder === undefined ? [] : disksBelow(folder, 0)
}

async function disksBelow(folder: string, depth: number): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => [])
  if (names.includes('partition')) return disksBelow(path.dirname(folder), depth + 1)
  const slaves = names.includes('slaves') ? await readdir(path.join(folder, 'slaves')) : []
  if (slaves.length === 0 || depth > 8) return [`disk ${path.basename(folder)}`]
  const below: string[] = []
  for (const slave of slaves) {
    below.push(...(await disksBelow(await realpath(path.join(folder, 'slaves', slave)), depth + 1)))
  }
  return below
}

interface Mount {
  readonly type: string
  readonly source: string
}

/** The mount that shows a path: the deepest, and of several at one point the last (proc_pid_mountinfo(5)). */
async function mountOf({ mountinfo }: Kernel, real: string): Promise<Mount | undefined> {
  const table = await readFile(mountinfo, 'utf8').catch(() => '')
  let best: (Mount & { readonly point: string }) | undefined
  for (const line of table.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const point = plain(before.split(' ')[4] ?? '')
    const [type, source] = after.split(' ')
    if (point === '' || type === undefined || source === undefined) continue
    const shows = point === '/' || real === point || real.startsWith(`${point}/`)
    if (shows && point.length >= (best?.point.length ?? 0)) best = { point, type, source: plain(source) }
  }
  return best
}

/** The table writes a space as `\040`. */
function plain(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  )
}
