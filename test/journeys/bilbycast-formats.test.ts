import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { openDump } from '../../src/profiles/bilbycast/dump-file.ts'
import { openExport } from '../../src/profiles/bilbycast/export-file.ts'
import { summarise } from '../../src/profiles/bilbycast/payload-summary.ts'
import { argon2id } from '../../src/profiles/bilbycast/stretch.ts'
import {
  dumpFile,
  exportFile,
  gather,
  inMemory,
  NONCE,
  PASSPHRASE,
  SALT,
} from '../support/bilbycast-files.ts'
import { fuzz } from '../support/bilbycast-fuzz.ts'

const support = path.resolve(import.meta.dirname, '../support')
const folder = await mkdtemp(path.join(tmpdir(), 'sealift-bilbycast-'))
after(() => rm(folder, { recursive: true }))

const oracle = (input: Buffer, what: string, ...rest: string[]): Buffer =>
  execFileSync(
    '/usr/bin/python3',
    [path.join(support, 'bilbycast-oracle.py'), what, PASSPHRASE.reveal(), ...rest],
    {
      input,
    },
  )

describe('other libraries, after the description alone,', () => {
  const dump = Buffer.from('PGDMP and more')
  const salts = [SALT.toString('hex'), NONCE.toString('hex')]

  it('write the same BCBKMGR1 file, and open ours', async () => {
    const ours = await dumpFile(dump, argon2id)
    assert.deepEqual(oracle(dump, 'write-dump', ...salts), ours)
    assert.deepEqual(oracle(ours, 'open-dump'), dump)
    const again = await openDump(inMemory(ours), { passphrase: PASSPHRASE })
    assert.deepEqual(await gather(again.dump()), dump)
  })

  it('write the same BCBKv2 file, and open ours', async () => {
    const ours = await exportFile({ stretch: argon2id })
    const payload = oracle(ours, 'open-export')
    const head = ours.subarray(0, 12 + ours.readUInt32LE(8))
    assert.deepEqual(oracle(payload, 'write-export', ...salts, head.toString('hex')), ours)
    const opened = await openExport(inMemory(ours), { passphrase: PASSPHRASE })
    assert.deepEqual(await gather(opened.payload()), payload)
    assert.equal((await summarise(opened)).tables.get('users')?.rows, 1)
  })
})

describe('a dump of 400 MiB', () => {
  const file = path.join(folder, 'large.bin')
  const child = (...args: string[]): { bytes: number; failure?: string; peak: number } =>
    JSON.parse(
      execFileSync(process.execPath, [path.join(support, 'bilbycast-child.ts'), ...args], {
        encoding: 'utf8',
      }),
    ) as { bytes: number; failure?: string; peak: number }

  it('is written and read in less than 256 MiB, the 64 of the key among them', async () => {
    const written = child('write', file, '400')
    assert.equal((await stat(file)).size, (400 << 20) + 52)
    const read = child('read', file)
    assert.deepEqual([read.bytes, read.failure], [400 << 20, undefined])
    for (const { peak } of [written, read]) assert.ok(peak < 256, `${peak} MiB`)
  })

  it('gives not one byte when its last one is changed', async () => {
    {
      await using handle = await open(file, 'r+')
      const last = (await handle.stat()).size - 1
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, last)
      await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, last)
    }
    const { bytes, failure } = child('read', file)
    assert.deepEqual([bytes, failure], [0, 'FOREIGN_NOT_OPENED'])
  })
})

it('100,000 changed files of both formats are refused by name, in bounded memory', async () => {
  const before = process.memoryUsage().rss
  for (let seed = 1; seed <= 10; seed++) {
    const answers = await fuzz(10_000, seed)
    assert.equal(
      Object.values(answers).reduce((sum, count) => sum + count, 0),
      10_000,
    )
  }
  const grown = (process.memoryUsage().rss - before) >> 20
  assert.ok(grown < 256, `${grown} MiB more than before`)
})
