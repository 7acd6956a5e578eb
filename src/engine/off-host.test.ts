import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { engineContext } from '../../test/support/engine-context.ts'
import { memorySource } from '../../test/support/memory-source.ts'
import { memoryTarget } from '../../test/support/memory-target.ts'
import { hasCode } from '../../test/support/stored.ts'
import type { Target } from '../targets/target.ts'
import { deviceOf, sharesWith } from './device.ts'
import { isOffHost, placeTargets, refuseNear } from './off-host.ts'

const ctx = engineContext('/nonexistent', { host: 'app.example.org' })

function target(name: string, location: string, host?: string): Target {
  return { ...memoryTarget(name), location, ...(host === undefined ? {} : { host }) }
}

async function folder(under = tmpdir()): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(under, 'sealift-off-host-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

test('a folder on the device of a source is near, one in another file system is not', async () => {
  await using here = await folder()
  await using memory = await folder('/dev/shm')
  const sources = [memorySource('db', { members: [], path: join(here.path, 'app.db') })]
  await symlink(here.path, join(memory.path, 'back'))
  const targets = [
    target('near', join(here.path, 'archives/not/there/yet')),
    target('far', join(memory.path, 'archives')),
    target('through a symlink', join(memory.path, 'back')),
  ]
  const placements = await placeTargets(ctx, targets, sources)
  assert.deepEqual(
    placements.map(({ distance }) => distance),
    ['same-device', 'other-device', 'same-device'],
  )
  assert.deepEqual(
    placements.map(({ distance }) => isOffHost(distance)),
    [false, true, false],
  )
  const application = { targets, sources, requireOffHost: new Set(['near', 'far']) }
  const full = { ...application, app: 'a', profile: ctx.profiles['x'] ?? { name: 'x', title: 'x' } }
  const plain = { ...full, compression: 'none', retention: undefined } as const
  const [near, far, third] = targets
  assert.throws(() => near && refuseNear(plain, placements, near), hasCode('TARGET_NOT_OFF_HOST'))
  for (const one of [far, third]) if (one !== undefined) refuseNear(plain, placements, one)
})

test('a server is another host, unless its name or address is this one’s', async () => {
  const own = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? [])
  assert.ok(own.length > 0)
  const near = ['localhost', 'LOCALHOST.', '127.0.0.1', '127.1.2.3', '[::1]', 'app.example.org', ...own]
  const far = ['backup.example.org', '192.0.2.7', 'localhost.example.org', '[2001:db8::1]']
  for (const [hosts, distance] of [
    [near, 'this-host'],
    [far, 'other-host'],
  ] as const) {
    for (const host of hosts) {
      const [placement] = await placeTargets(ctx, [target('server', 's3://bucket/', host)], [])
      assert.equal(placement?.distance, distance, host)
    }
  }
  const [cloud] = await placeTargets(ctx, [target('cloud', 's3://bucket/')], [])
  assert.equal(cloud?.distance, 'other-host')
})

/** A kernel's view in a folder: the block device that holds `place` is `device`, which lies below `devices/`. */
async function kernelWith(path: string, place: string, device: string) {
  const { dev } = await stat(place)
  const major = ((dev >> 8) & 0xfff) | (Math.floor(dev / 2 ** 32) & 0xfffff000)
  const minor = (dev & 0xff) | (Math.floor(dev / 4096) & 0xffffff00)
  await mkdir(join(path, 'sys/dev/block'), { recursive: true })
  await mkdir(join(path, 'sys/devices', device), { recursive: true })
  await symlink(join(path, 'sys/devices', device), join(path, `sys/dev/block/${major}:${minor}`))
  await writeFile(join(path, 'mountinfo'), '')
  return { sys: join(path, 'sys'), mountinfo: join(path, 'mountinfo') }
}

test('a partition, and a volume that is made of others, go with the disks below', async (t) => {
  if ((await stat(tmpdir())).dev < 256) return t.todo('the temporary folder lies on no block device')
  await using here = await folder()
  const kernel = await kernelWith(here.path, here.path, 'pci/block/sda/sda2')
  await writeFile(join(here.path, 'sys/devices/pci/block/sda/sda2/partition'), '2\n')
  assert.ok((await deviceOf(here.path, kernel)).on.has('disk sda'))

  await using other = await folder()
  const volume = await kernelWith(other.path, other.path, 'virtual/block/dm-1')
  const slaves = join(other.path, 'sys/devices/virtual/block/dm-1/slaves')
  await mkdir(slaves)
  await cp(join(here.path, 'sys/devices/pci'), join(other.path, 'sys/devices/pci'), { recursive: true })
  await symlink('../../../../pci/block/sda/sda2', join(slaves, 'sda2'))
  const { on } = await deviceOf(other.path, volume)
  assert.ok(on.has('disk sda') && !on.has('disk dm-1'), [...on].join())
})

test('file systems without a device of their own are told apart by what is mounted', async () => {
  await using memory = await folder('/dev/shm')
  const mountinfo = join(memory.path, 'mountinfo')
  const kernel = { sys: join(memory.path, 'sys'), mountinfo }
  const mounted = async (type: string, source: string) => {
    const line = (point: string, rest: string): string => `30 25 0:27 / ${point} rw shared:1 - ${rest} rw`
    await writeFile(mountinfo, `${line('/', 'ext4 /dev/root')}\n${line('/dev/shm', `${type} ${source}`)}\n`)
    return await deviceOf(memory.path, kernel)
  }
  assert.equal((await mounted('nfs4', 'nas:/export')).network, 'nfs4')
  assert.equal((await mounted('fuse.sshfs', 'backup:')).network, 'fuse.sshfs')
  const pool = await mounted('zfs', 'tank/backups')
  assert.ok(pool.on.has('pool tank'))
  // Subvolumes have device numbers of their own and one source.
  const volume = await mounted('btrfs', '/dev/nowhere2')
  assert.ok(volume.on.has('source /dev/nowhere2'))
  assert.ok(sharesWith(volume, { on: new Set(['source /dev/nowhere2']) }))
  assert.ok(!sharesWith(volume, { on: new Set(['source /dev/nowhere3']) }))
  assert.equal((await mounted('tmpfs', 'tmpfs')).network, undefined)
})
