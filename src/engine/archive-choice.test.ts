import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Target } from '../targets/target.ts'
import { engineContext } from '../../test/support/engine-context.ts'
import { memoryTarget } from '../../test/support/memory-target.ts'
import type { MemoryTarget } from '../../test/support/memory-target.ts'
import { beginSealing, manifestOf, SECRET } from '../../test/support/sealed.ts'
import { hasCode, put } from '../../test/support/stored.ts'
import { findArchive } from './archive-ref.ts'
import type { ArchiveInput } from './archive-ref.ts'
import type { Event } from './events.ts'

/** An archive of one source, by its times of one day: `10:00:00`. */
interface Made {
  readonly name?: string
  readonly sealed: string
  readonly snapshot?: string
  readonly finished?: string
  readonly kind?: string
}

const on = (time: string): string => `2026-05-14T${time}Z`

async function make({ name, sealed, snapshot, finished, kind = 'sqlite' }: Made): Promise<[string, Buffer]> {
  const { sealer, out } = await beginSealing({ createdAt: new Date(on(sealed)) })
  const source = {
    name: 'db',
    kind,
    snapshot_at: on(snapshot ?? sealed),
    versions: {},
    facts: {},
    members: 0,
    bytes: 0,
  }
  await sealer.finish({ ...manifestOf(sealer.id), finished_at: on(finished ?? sealed), sources: [source] })
  return [name ?? `app-20260514T${sealed.replaceAll(':', '')}Z.sealift`, out.bytes]
}

async function holding(name: string, ...made: Made[]): Promise<MemoryTarget> {
  const target = memoryTarget(name)
  for (const one of made) await put(target, ...(await make(one)))
  return target
}

interface Chosen {
  readonly name: string
  readonly at: string
  readonly told: readonly string[]
}

async function choose(
  places: readonly Target[],
  more: Partial<ArchiveInput> & { readonly at?: string } = {},
): Promise<Chosen> {
  const told: string[] = []
  const emit = (event: Event): void => {
    if (event.type === 'warning' || event.type === 'note') told.push(event.message)
  }
  const ctx = engineContext('/nonexistent', { emit })
  const { at, ...input } = more
  await using archive = await findArchive(ctx, {
    archive: 'latest',
    from: () => Promise.resolve(places),
    keys: () => Promise.resolve([SECRET]),
    ...(at === undefined ? {} : { before: new Date(on(at)) }),
    ...input,
  })
  return { name: archive.name, at: archive.targetName, told }
}

const ten = 'app-20260514T100000Z.sealift'
const eleven = 'app-20260514T110000Z.sealift'

test('latest is the newest over all places, and the same archive at two is taken from the first', async () => {
  const near = await holding('near', { sealed: '09:00:00' }, { sealed: '10:00:00' })
  const far = await holding('far', { sealed: '11:00:00' })
  assert.deepEqual(await choose([near, far]), { name: eleven, at: 'far', told: [] })
  for (const [name, { bytes }] of near.objects) await put(far, name, bytes)
  assert.deepEqual(await choose([far, near], { archive: ten }), { name: ten, at: 'far', told: [] })
})

test('a tie, and an unreadable file that may be newer, are told', async () => {
  const place = await holding('disk', { sealed: '10:00:00' })
  await put(place, ...(await make({ sealed: '10:00:00', name: 'app-20260514T100000Z-2.sealift' })))
  assert.match((await choose([place])).told.join(), /-2\.sealift and .*Z\.sealift are of the same second/)

  const damaged = await holding('usb', { sealed: '10:00:00' })
  await put(damaged, eleven, Buffer.from('not an archive'))
  await put(damaged, 'app-20260514T090000Z.sealift', Buffer.from('older, so it does not matter'))
  const { name, told } = await choose([damaged])
  assert.equal(name, ten)
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /app-20260514T110000Z\.sealift at usb was passed over/)
})

test('archives of two applications are told apart only by a name', async () => {
  const place = await holding('disk', { sealed: '10:00:00' })
  await put(place, ...(await make({ sealed: '09:00:00', name: 'other-20260514T090000Z.sealift' })))
  await assert.rejects(choose([place]), hasCode('ARCHIVE_AMBIGUOUS'))
  assert.equal((await choose([place], { archive: ten })).name, ten)
  await put(place, ...(await make({ sealed: '12:00:00', name: 'kept-by-hand.sealift' })))
  await assert.rejects(choose([place]), hasCode('ARCHIVE_AMBIGUOUS'), 'a name of no backup is not latest')
})

test('before a moment: by the snapshot of a database, not by the time of the sealing', async () => {
  const place = await holding(
    'disk',
    { sealed: '10:00:00', snapshot: '09:59:00' },
    { sealed: '11:00:00', snapshot: '10:58:00', finished: '11:05:00' },
    { sealed: '12:00:00' },
  )
  const cases: readonly [string, string][] = [
    ['12:30:00', 'app-20260514T120000Z.sealift'],
    ['12:00:00', eleven],
    // Its sealing began after the moment, and its snapshot was taken before it.
    ['10:59:00', eleven],
    ['10:58:01', eleven],
    // Within the second of the snapshot nobody can tell.
    ['10:58:00', ten],
    ['09:59:01', ten],
  ]
  for (const [at, name] of cases) assert.equal((await choose([place], { at })).name, name, at)
  await assert.rejects(choose([place], { at: '09:59:00' }), hasCode('ARCHIVE_NOT_FOUND'))
  assert.match((await choose([place], { at: '10:58:00' })).told.join(), /2 later archives were passed over/)
})

test('before a moment: files count as read until the sealing ended', async () => {
  const place = await holding(
    'disk',
    { sealed: '10:00:00', kind: 'files' },
    { sealed: '11:00:00', snapshot: '10:59:00', finished: '11:05:00', kind: 'files' },
  )
  assert.equal((await choose([place], { at: '11:05:01' })).name, eleven)
  assert.equal((await choose([place], { at: '11:05:00' })).name, ten)
})

test('before a moment: a header that says an earlier time than the manifest chooses nothing', async () => {
  const place = await holding('disk', { sealed: '10:00:00' }, { sealed: '10:30:00', snapshot: '15:00:00' })
  assert.equal((await choose([place], { at: '12:00:00' })).name, ten)
})

test('before a moment: a damaged copy is passed over for the next copy, and for an older archive', async () => {
  const near = await holding('near', { sealed: '10:00:00' }, { sealed: '11:00:00' })
  const far = memoryTarget('far')
  const copy = near.objects.get(eleven)?.bytes ?? Buffer.alloc(0)
  await put(far, eleven, copy)
  near.objects.set(eleven, { bytes: copy.subarray(0, copy.length - 9), modifiedAt: new Date() })
  const chosen = await choose([near, far], { at: '12:00:00' })
  assert.deepEqual([chosen.name, chosen.at], [eleven, 'far'])
  assert.match(chosen.told.join(), /110000Z\.sealift at near was passed over/)
  assert.equal((await choose([near], { at: '12:00:00' })).name, ten)
})

test('before a moment: a key that does not fit is an error, and no reason to take an older archive', async () => {
  const place = await holding('disk', { sealed: '10:00:00' })
  const secret = {
    type: 'passphrase',
    passphrase: SECRET.type === 'secret' ? SECRET.secret : never(),
  } as const
  await assert.rejects(
    choose([place], { at: '12:00:00', keys: () => Promise.resolve([secret]) }),
    hasCode('NO_KEY_FITS'),
  )
})

test('an archive that is named is held to the moment, unless it is allowed to be later', async () => {
  const place = await holding('disk', { sealed: '10:00:00' }, { sealed: '11:00:00' })
  assert.equal((await choose([place], { archive: ten, at: '10:30:00' })).name, ten)
  await assert.rejects(choose([place], { archive: eleven, at: '10:30:00' }), hasCode('ARCHIVE_LATER'))
  const allowed = await choose([place], { archive: eleven, at: '10:30:00', allowLater: true })
  assert.equal(allowed.name, eleven)
  assert.match(allowed.told.join(), /may hold something up to 2026-05-14T11:00:00Z/)
})

test('without a place there is no latest', async () => {
  await assert.rejects(choose([]), hasCode('ARCHIVE_NOT_FOUND'))
})

function never(): never {
  throw new Error('the key of the tests is a secret key')
}
