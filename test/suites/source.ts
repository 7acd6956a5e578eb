import assert from 'node:assert/strict'
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { isSealiftError } from '../../src/errors.ts'
import type { Source, SourceContext, SourceMember } from '../../src/sources/source.ts'

/** A source under test, with data in it, and the same kind of source pointed at nothing. */
export interface SourceUnderTest extends AsyncDisposable {
  readonly source: Source
  /** `undefined` for a kind of source that is always there. */
  readonly missing: Source | undefined
}

/** The contract of `src/sources/source.ts`: what every source must keep. */
export function sourceSuite(name: string, make: () => Promise<SourceUnderTest>): void {
  suite(`source contract: ${name}`, () => {
    test('the estimate is a number of bytes, and an aborted one throws', async () => {
      await using made = await make()
      assert.ok((await made.source.estimate(new AbortController().signal)) > 0)
      await assert.rejects(made.source.estimate(AbortSignal.abort(new Error('stop'))), /stop/)
    })

    test('the place and the claims are absolute paths', async () => {
      await using made = await make()
      for (const path of [made.source.place.path, ...made.source.claims()]) assert.match(path, /^\//)
    })

    test('members come in the order of a tar, with exactly the bytes that they announce', async () => {
      await using made = await make()
      await using run = await scratchRun()
      await using snapshot = await made.source.snapshot(run.context)
      const types = new Map<string, string>()
      for await (const member of snapshot.members()) {
        checkMember(member, types)
        types.set(member.path, member.type)
        if (member.content === undefined) continue
        let length = 0
        for await (const piece of member.content()) length += piece.length
        if (member.size !== undefined) assert.equal(length, member.size, member.path)
      }
      assert.ok(types.size > 0)
    })

    test('the same data gives the same members twice', async () => {
      await using made = await make()
      await using run = await scratchRun()
      assert.deepEqual(await listing(made.source, run.context), await listing(made.source, run.context))
    })

    test('members that nobody reads are skipped', async () => {
      await using made = await make()
      await using run = await scratchRun()
      await using snapshot = await made.source.snapshot(run.context)
      let count = 0
      for await (const member of snapshot.members()) count += member.path === '' ? 0 : 1
      assert.ok(count > 0)
    })

    test('after the members it can describe itself in JSON', async () => {
      await using made = await make()
      await using run = await scratchRun()
      await using snapshot = await made.source.snapshot(run.context)
      for await (const member of snapshot.members()) await drain(member)
      const { facts, versions, rows, warnings } = snapshot.describe()
      assert.deepEqual(JSON.parse(JSON.stringify({ facts, versions, warnings })), {
        facts,
        versions,
        warnings,
      })
      assert.ok(Object.values(rows ?? {}).every((n) => Number.isSafeInteger(n) && n >= 0))
      assert.ok(snapshot.takenAt instanceof Date)
    })

    test('nothing is left once it is disposed of, and a second time does no harm', async () => {
      await using made = await make()
      await using run = await scratchRun()
      const before = await openFiles()
      const snapshot = await made.source.snapshot(run.context)
      const held = await Array.fromAsync(snapshot.members(), (member) => member.path)
      assert.ok(held.length > 0)
      await snapshot[Symbol.asyncDispose]()
      await snapshot[Symbol.asyncDispose]()
      assert.deepEqual(await openFiles(), before)
      assert.deepEqual(await readdir(run.context.scratch), [])
    })

    test('a reader that stops in the middle leaves nothing', async () => {
      await using made = await make()
      await using run = await scratchRun()
      const before = await openFiles()
      {
        await using snapshot = await made.source.snapshot(run.context)
        const members = snapshot.members()[Symbol.asyncIterator]()
        // Neither the iteration nor the content is ended by its reader.
        const first = await members.next()
        if (first.done !== true) await first.value.content?.()[Symbol.asyncIterator]().next()
      }
      assert.deepEqual(await openFiles(), before)
      assert.deepEqual(await readdir(run.context.scratch), [])
    })

    test('a stopped run throws the reason and leaves nothing', async () => {
      await using made = await make()
      await using run = await scratchRun()
      const before = await openFiles()
      const reason = new Error('stopped in the middle')
      await assert.rejects(async () => {
        await using snapshot = await made.source.snapshot(run.context)
        for await (const member of snapshot.members()) {
          if (member.content === undefined) continue
          run.stop(reason)
          await drain(member)
        }
      }, reason)
      assert.deepEqual(await openFiles(), before)
      assert.deepEqual(await readdir(run.context.scratch), [])
    })

    test('a run that was stopped before it began takes no snapshot', async () => {
      await using made = await make()
      await using run = await scratchRun()
      const reason = new Error('stopped before')
      run.stop(reason)
      await assert.rejects(async () => {
        await using snapshot = await made.source.snapshot(run.context)
        for await (const member of snapshot.members()) await drain(member)
      }, reason)
      assert.deepEqual(await readdir(run.context.scratch), [])
    })

    test('a source that is not there is named', async () => {
      await using made = await make()
      const { missing, source } = made
      if (missing === undefined) return assert.ok((await source.estimate(new AbortController().signal)) >= 0)
      await using run = await scratchRun()
      const names = (error: unknown): boolean =>
        isSealiftError(error, 'SOURCE_NOT_FOUND') && error.message.includes(missing.place.path)
      await assert.rejects(missing.snapshot(run.context), names)
      await assert.rejects(missing.estimate(new AbortController().signal), names)
      assert.deepEqual(await readdir(run.context.scratch), [])
    })
  })
}

export interface ScratchRun extends AsyncDisposable {
  readonly context: SourceContext
  stop(reason: Error): void
}

/** A run's context with a scratch folder of its own. */
export async function scratchRun(claimed: ReadonlySet<string> = new Set()): Promise<ScratchRun> {
  const scratch = await mkdtemp(join(tmpdir(), 'sealift-scratch-'))
  const controller = new AbortController()
  return {
    context: { signal: controller.signal, now: () => new Date(), scratch, claimed },
    stop: (reason) => controller.abort(reason),
    [Symbol.asyncDispose]: () => rm(scratch, { recursive: true, force: true }),
  }
}

function checkMember(member: SourceMember, types: ReadonlyMap<string, string>): void {
  const { path, type } = member
  assert.ok(!types.has(path), `${path} comes twice`)
  assert.ok(
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    path,
  )
  const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
  if (folder !== '') assert.equal(types.get(folder), 'directory', `the folder of ${path} comes first`)
  assert.ok(Number.isInteger(member.mode) && member.mode >= 0 && member.mode <= 0o7777)
  assert.ok(Number.isFinite(member.mtimeMs))
  assert.equal(member.content !== undefined, type === 'file', path)
  assert.equal(member.link !== undefined, type === 'symlink' || type === 'hardlink', path)
  if (type === 'hardlink')
    assert.equal(types.get(member.link ?? ''), 'file', `the file of ${path} comes first`)
}

async function listing(source: Source, context: SourceContext): Promise<unknown[]> {
  await using snapshot = await source.snapshot(context)
  const members: unknown[] = []
  for await (const { content: _, ...member } of snapshot.members()) members.push(member)
  return members
}

async function drain(member: SourceMember): Promise<void> {
  if (member.content === undefined) return
  for await (const _piece of member.content());
}

/** What this process has open, without what the runtime itself opens and closes. */
async function openFiles(): Promise<string[]> {
  const open: string[] = []
  for (const fd of await readdir('/proc/self/fd')) {
    // The descriptor of this very listing is gone again.
    const to = await readlink(`/proc/self/fd/${fd}`).catch(() => '')
    if (to.startsWith('/') && !to.startsWith('/proc/') && !to.startsWith('/dev/')) open.push(to)
  }
  return open.sort()
}
