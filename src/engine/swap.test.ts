import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { isSealiftError } from '../errors.ts'
import type { Move, RestoreJournal } from './journal.ts'
import { exists, finishSwap, swap, tidySwap } from './swap.ts'

let folder: string
let journal: RestoreJournal

/** Two live files `one` and `two` with old content, and their new content staged. */
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sealift-swap-'))
  const at = (...parts: string[]): string => path.join(folder, ...parts)
  await mkdir(at('staging'))
  for (const name of ['one', 'two']) {
    await writeFile(at(name), `old ${name}`)
    await writeFile(at('staging', name), `new ${name}`)
  }
  const moves = ['one', 'two'].flatMap((name): Move[] => [
    { kind: 'aside', from: at(name), to: at('aside', name) },
    { kind: 'place', from: at('staging', name), to: at(name) },
  ])
  const run = 'r'
  journal = {
    journal: 1,
    app: 'a',
    run,
    state: 'swapping',
    staging: [at('staging')],
    asides: [at('aside')],
    moves,
    attributes: [],
  }
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function state(): Promise<string[]> {
  const texts = []
  for (const name of ['one', 'two']) {
    const file = path.join(folder, name)
    texts.push((await exists(file)) ? await readFile(file, 'utf8') : 'nothing')
  }
  return texts
}

test('a swap puts the new state in place and keeps the old one', async () => {
  await swap(journal, 'j')
  await tidySwap(journal, false)
  assert.deepEqual(await state(), ['new one', 'new two'])
  assert.deepEqual((await readdir(path.join(folder, 'aside'))).toSorted(), ['one', 'two'])
  assert.equal(await exists(path.join(folder, 'staging')), false)
})

test('a swap in which any move fails leaves the old state whole', async () => {
  for (const [index, move] of journal.moves.entries()) {
    const moves = journal.moves.with(index, { ...move, from: path.join(folder, 'missing') })
    await assert.rejects(swap({ ...journal, moves }, 'j'), { code: 'ENOENT' })
    assert.deepEqual(await state(), ['old one', 'old two'], `after move ${index} failed`)
  }
})

test('a place that was taken meanwhile is not overwritten', async () => {
  const moves = journal.moves.filter((move) => move.kind === 'place')
  await assert.rejects(swap({ ...journal, moves }, 'j'), (error) =>
    isSealiftError(error, 'DESTINATION_REFUSED'),
  )
  assert.deepEqual(await state(), ['old one', 'old two'])
})

test('a swap cut off after any number of moves is finished by the next start, also one cut off twice', async () => {
  for (let cut = 0; cut <= journal.moves.length; cut++) {
    for (const move of journal.moves.slice(0, cut)) {
      await mkdir(path.dirname(move.to), { recursive: true })
      await rename(move.from, move.to)
    }
    await finishSwap(journal, 'j')
    await finishSwap(journal, 'j')
    assert.deepEqual(await state(), ['new one', 'new two'], `cut after ${cut} moves`)
    for (const move of journal.moves.toReversed()) await rename(move.to, move.from)
    await rm(path.join(folder, 'aside'), { recursive: true, force: true })
  }
})

test('what an application wrote to a place after the cut is neither overwritten nor deleted', async () => {
  const [first] = journal.moves
  assert.ok(first)
  await mkdir(path.join(folder, 'aside'))
  await rename(first.from, first.to)
  await writeFile(path.join(folder, 'one'), 'written since')
  await assert.rejects(finishSwap(journal, 'j'), (error) => isSealiftError(error, 'RECOVERY_NEEDED'))
  assert.deepEqual(await state(), ['written since', 'old two'])
  assert.equal(await readFile(first.to, 'utf8'), 'old one')
})

test('a dated folder into which nothing went is not left behind', async () => {
  const moves = journal.moves
    .filter((move) => move.kind === 'place')
    .map((move) => ({ ...move, to: `${move.to}.fresh` }))
  const fresh = { ...journal, moves }
  await swap(fresh, 'j')
  await tidySwap(fresh, false)
  assert.equal(await exists(path.join(folder, 'aside')), false)
})
