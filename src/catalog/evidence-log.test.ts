import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkChain } from './evidence-chain.ts'
import { appendEvidence, evidencePath, readEvidence } from './evidence-log.ts'
import type { EvidenceEntry } from './evidence-record.ts'
import { chained, lineOf, sha256 } from './evidence-record.ts'

const entry = (name: string, verdict: EvidenceEntry['verdict'] = 'ok'): EvidenceEntry => ({
  kind: 'drill',
  time: '2026-05-14T10:30:25Z',
  app: 'wiki',
  host: 'host',
  version: '0.1.0',
  subject: { name, target: 'far' },
  verdict,
  details: { seconds: 12.5, phases: { open: 1 }, notes: ['ä', '\u2028'] },
})

function emptyLog() {
  const folder = mkdtempSync(join(tmpdir(), 'sealift-evidence-'))
  const at = { folder: join(folder, 'evidence'), app: 'wiki' }
  return { at, path: evidencePath(at), [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

function logOf(...names: readonly string[]) {
  const log = emptyLog()
  for (const name of names) appendEvidence(log.at, entry(name))
  const lines = readFileSync(log.path, 'utf8').trimEnd().split('\n')
  return { ...log, lines }
}

const problems = (lines: readonly string[]): readonly string[] =>
  checkChain(`${lines.join('\n')}\n`, { app: 'wiki' }).problems.map((p) => `${p.seq} ${p.problem}`)

test('records are chained, durable lines that come back as they were put', () => {
  using log = logOf('a', 'b', 'c')
  const { records, problems, head, torn } = readEvidence(log.at)
  assert.deepEqual([problems, torn, head.seq, head.hash], [[], 0, 3, records[2]?.hash])
  assert.deepEqual(
    records.map(({ seq, subject, prev }) => [seq, subject['name'], prev]),
    [
      [1, 'a', '0'.repeat(64)],
      [2, 'b', records[0]?.hash],
      [3, 'c', records[1]?.hash],
    ],
  )
  assert.deepEqual(records[0]?.details, entry('a').details)
  assert.equal(statSync(log.path).mode & 0o777, 0o600)
  assert.equal(statSync(log.at.folder).mode & 0o777, 0o700)
})

test('a record is hashed as a stranger would: SHA-256 of its line without the hash', () => {
  using log = logOf('a')
  const [line = ''] = log.lines
  const hash = /"hash":"([0-9a-f]{64})",/.exec(line)
  assert.equal(sha256(line.replace(hash?.[0] ?? '', '')), hash?.[1])
})

test('an edited record is named, however it was edited', () => {
  using log = logOf('a', 'b', 'c', 'd')
  const [one = '', two = '', three = '', four = ''] = log.lines
  assert.deepEqual(problems([one, two.replace('"ok"', '"fail"'), three, four]), [
    '2 it was changed after it was written',
  ])
  const again = lineOf(chained(entry('x'), { seq: 1, hash: /"hash":"(\w+)"/.exec(one)?.[1] ?? '' }))
  assert.deepEqual(problems([one, again, three, four]), ['2 it is not the one that record 3 was chained to'])
  // The same record in another spelling is none.
  assert.deepEqual(problems([one, two.replace('{', '{ '), three, four]), ['2 it cannot be read'])
  assert.deepEqual(problems([one, 'x', three, four]), ['2 it cannot be read'])
})

test('a removed, repeated, moved or foreign record is named', () => {
  using log = logOf('a', 'b', 'c', 'd')
  const [one = '', two = '', three = '', four = ''] = log.lines
  assert.deepEqual(problems([one, three, four]), ['2 it is missing'])
  assert.deepEqual(problems([three, four]), ['1 it is missing', '2 it is missing'])
  assert.deepEqual(problems([one, two, two, three, four]), ['2 it stands a second time, or out of its order'])
  assert.deepEqual(problems([one, three, two, four]), ['2 it is missing'])
  const foreign = chained(
    { ...entry('e'), app: 'shop' },
    { seq: 4, hash: /"hash":"(\w+)"/.exec(four)?.[1] ?? '' },
  )
  assert.deepEqual(problems([one, two, three, four, lineOf(foreign)]), ['5 it belongs to shop'])
})

test('a cut tail and a log made anew show against the head that the catalogue remembers', () => {
  using log = logOf('a', 'b', 'c')
  const { head } = readEvidence(log.at)
  const judged = (lines: readonly string[]) =>
    checkChain(`${lines.join('\n')}\n`, { app: 'wiki', anchor: head }).problems
  assert.deepEqual(judged(log.lines), [])
  assert.match(judged(log.lines.slice(0, 2))[0]?.problem ?? '', /^it is gone from the end/)
  assert.match(judged(log.lines.slice(0, 1))[0]?.problem ?? '', /^records 2 to 3 are gone/)
  using other = logOf('a', 'b', 'x')
  assert.deepEqual(judged(other.lines), [
    { seq: 3, problem: 'it is not the one that the catalogue remembers' },
  ])
})

test('what a crash left of an append is no tampering: the next record comes after one that says so', () => {
  using log = logOf('a', 'b')
  const whole = readFileSync(log.path)
  for (const cut of [whole.length - 1, whole.length - 30, whole.indexOf('\n') + 2]) {
    writeFileSync(log.path, whole.subarray(0, cut))
    const read = readEvidence(log.at)
    assert.deepEqual(read.problems, [])
    // Without its line end the record is whole all the same.
    const isWhole = cut === whole.length - 1
    assert.deepEqual([read.records.length, read.torn > 0, read.unended], [isWhole ? 2 : 1, !isWhole, isWhole])
    appendEvidence(log.at, entry('c'))
    const after = readEvidence(log.at)
    assert.deepEqual([after.problems, after.torn], [[], 0])
    assert.deepEqual(
      after.records.map(({ kind }) => kind),
      isWhole ? ['drill', 'drill', 'drill'] : ['drill', 'repair', 'drill'],
    )
  }
  // A record that was known to be durable is not torn by a crash.
  writeFileSync(log.path, whole.subarray(0, whole.length - 30))
  const anchor = { seq: 2, hash: checkChain(whole.toString(), { app: 'wiki' }).head.hash }
  assert.match(readEvidence({ ...log.at, anchor }).problems[0]?.problem ?? '', /gone from the end/)
})

test('zeros and half characters after the last line are a torn append too', () => {
  using log = logOf('a')
  appendFileSync(log.path, Buffer.from([0, 0, 0, 0xc3]))
  assert.deepEqual(readEvidence(log.at).problems, [])
  appendEvidence(log.at, entry('b'))
  const { records, problems } = readEvidence(log.at)
  assert.deepEqual([problems, records[1]?.kind, records[1]?.details['bytes']], [[], 'repair', 4])
})

test('a log that was tampered with goes on, and what is wrong in it stays to be seen', () => {
  using log = logOf('a', 'b', 'c')
  writeFileSync(log.path, `${log.lines[0]}\nnonsense\n${log.lines[2]?.replace('"ok"', '"fail"')}\n`)
  appendEvidence(log.at, entry('d'))
  const { records, problems } = readEvidence(log.at)
  assert.deepEqual(
    problems.map(({ seq }) => seq),
    [2, 3],
  )
  assert.deepEqual([records.at(-1)?.seq, records.at(-1)?.subject['name']], [4, 'd'])
})

test('a log that is gone and was known begins with a record of that', () => {
  using log = logOf('a', 'b')
  const { head } = readEvidence(log.at)
  rmSync(log.path)
  const at = { ...log.at, anchor: head }
  assert.match(readEvidence(at).problems[0]?.problem ?? '', /^records 1 to 2 are gone/)
  appendEvidence(at, entry('c'))
  const { records } = readEvidence(log.at)
  assert.deepEqual(
    records.map(({ kind, details }) => [kind, details['earlier_records']]),
    [
      ['begun', 2],
      ['drill', undefined],
    ],
  )
})

test('processes that append at once wait for each other', async () => {
  using log = emptyLog()
  const module = new URL('./evidence-log.ts', import.meta.url).href
  const code = `const { appendEvidence } = await import(${JSON.stringify(module)})
    for (let i = 0; i < 20; i++) appendEvidence(${JSON.stringify(log.at)}, ${JSON.stringify(entry('x'))})`
  const children = [1, 2, 3].map(() =>
    spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' }),
  )
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number))
  assert.deepEqual(codes, [0, 0, 0])
  const { records, problems } = readEvidence(log.at)
  assert.deepEqual([records.length, problems], [60, []])
})
