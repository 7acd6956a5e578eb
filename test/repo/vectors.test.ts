import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openFile, openStream, unseal, type OpenKey } from '../../src/archive/index.ts'
import { isSealiftError } from '../../src/errors.ts'
import { Secret } from '../../src/secret.ts'
import { generate } from '../../spec/vectors/generate.ts'
import { keysOf } from '../../spec/vectors/scenario.ts'
import { decodeVector, sha256, type Vector } from '../../spec/vectors/vector.ts'

const FOLDER = join(import.meta.dirname, '../../spec/vectors')
const REFERENCE = join(import.meta.dirname, '../../spec/reference')
const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.txt')).sort()
const vectors = await Promise.all(
  names.map(async (name) => decodeVector(name.slice(0, -4), await readFile(join(FOLDER, name)))),
)

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const keysFor = ({ passphrase, secret }: Vector): OpenKey[] =>
  keysOf(passphrase, secret === undefined ? undefined : new Secret(secret))

/** What a reader of the whole archive says: `success`, or the code of its refusal. */
async function streamed(vector: Vector, size: number): Promise<string> {
  return outcome(async () => {
    await using archive = await openStream(inPieces(vector.archive, size), keysFor(vector))
    for await (const { content } of archive.members()) for await (const _ of content());
  })
}

async function outcome(work: () => Promise<void>): Promise<string> {
  try {
    await work()
    return 'success'
  } catch (error) {
    if (isSealiftError(error)) return error.code
    throw error
  }
}

describe('vectors', () => {
  for (const vector of vectors) {
    it(`${vector.name}: ${vector.expect}`, async () => {
      assert.equal(await streamed(vector, vector.archive.length), vector.expect, 'whole')
      assert.equal(await streamed(vector, 1_000), vector.expect, 'in pieces of 1,000 bytes')
      if (vector.archive.length < 5_000 && vector.passphrase === undefined) {
        assert.equal(await streamed(vector, 1), vector.expect, 'byte by byte')
      }

      const released: Buffer[] = []
      const code = await outcome(async () => {
        for await (const piece of unseal(inPieces(vector.archive, 700), keysFor(vector))) released.push(piece)
      })
      assert.equal(code === 'success' ? 'success' : 'refused', vector.unseal, 'unseal')
      assert.equal(sha256(Buffer.concat(released)), vector.plaintextSha256, 'what unseal released')
      if (vector.unseal === 'refused') assert.equal(code, vector.expect, 'unseal and the whole reader agree')
    })
  }

  it('are opened by random access to the same members, or refused', async () => {
    for (const vector of vectors) {
      const { archive } = vector
      const file = {
        size: archive.length,
        read: async (offset: number, length: number) => archive.subarray(offset, offset + length),
      }
      const code = await outcome(async () => {
        const opened = await openFile(file, keysFor(vector))
        for await (const entry of opened.index()) for await (const _ of opened.content(entry));
        await opened.manifest()
      })
      if (vector.expect === 'success') assert.equal(code, 'success', vector.name)
      // Random access reads members one by one and does not compare the tar around them.
      else if (code !== 'success')
        assert.equal(
          code,
          vector.expect === 'MEMBER_REFUSED' ? 'CONTENTS_DISAGREE' : vector.expect,
          vector.name,
        )
      else assert.equal(vector.unseal, 'success', vector.name)
    }
  })

  it('come out of the generator byte for byte', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealift-vectors-'))
    try {
      await generate(folder)
      assert.deepEqual((await readdir(folder)).sort(), names)
      for (const name of names) {
        const same = (await readFile(join(folder, name))).equals(await readFile(join(FOLDER, name)))
        assert.ok(same, `${name} is another`)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('give the reference reader in Python the same bytes and the same refusals', () => {
    const { status, stdout, stderr } = spawnSync('/usr/bin/python3', [
      '-B',
      join(REFERENCE, 'check_vectors.py'),
      FOLDER,
    ])
    assert.equal(stderr.toString(), '')
    assert.equal(stdout.toString(), `${vectors.length} vectors, 0 differ\n`)
    assert.equal(status, 0)
  })

  it('stay together under 2 MiB', () => {
    assert.ok(vectors.reduce((sum, { archive }) => sum + archive.length, 0) < 2 * 1_048_576)
  })
})

describe('unseal.py | zstd -d | tar x && sha256sum -c', () => {
  it('gives the files of an archive back without Sealift', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealift-unseal-'))
    try {
      const vector = vectors.find(({ name }) => name === 'ok-names')
      assert.ok(vector?.secret)
      await writeFile(join(folder, 'a.sealift'), vector.archive)
      await writeFile(join(folder, 'key'), vector.secret)
      const script = `"$0" -B "$1" a.sealift --key-file key | zstd -dq | tar x && sha256sum --strict -c SHA256SUMS`
      const unsealPy = join(REFERENCE, 'unseal.py')
      const { status, stderr } = spawnSync(
        'bash',
        ['-o', 'pipefail', '-c', script, '/usr/bin/python3', unsealPy],
        { cwd: folder },
      )
      assert.equal(stderr.toString(), '')
      assert.equal(status, 0)
      assert.equal(await readFile(join(folder, 'app/line\nbreak'), 'utf8'), 'line\nbreak')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('the clauses of archive-v1', () => {
  it('are each cited by a vector or a test, and no other clause is', async () => {
    const text = await readFile(join(FOLDER, '../archive-v1.md'), 'utf8')
    const clauses = new Set(
      [...text.matchAll(/(?:^|\. )(?:- )?\[([A-Z]-\d+)\] /gm)].map(([, clause]) => clause ?? ''),
    )
    const cited = new Set(vectors.flatMap((vector) => vector.clauses))
    for (const clause of cited) assert.ok(clauses.has(clause), `${clause} is no clause`)
    for (const file of await testFiles()) {
      for (const [, clause] of (await readFile(file, 'utf8')).matchAll(/\[([A-Z]-\d+)\]/g))
        cited.add(clause ?? '')
    }
    for (const [clause, { file, name }] of Object.entries(ELSEWHERE)) {
      assert.ok(
        (await readFile(join(FOLDER, '../..', file), 'utf8')).includes(name),
        `${file} has no test: ${name}`,
      )
      cited.add(clause)
    }
    assert.ok(clauses.size > 30)
    assert.deepEqual(
      [...clauses].filter((clause) => !cited.has(clause)),
      [],
    )
  })
})

/** Clauses that bind whoever restores, and the tests of that. */
const ELSEWHERE = {
  'P-8': {
    file: 'src/engine/staged-tree.test.ts',
    name: 'nothing is written over or through what is already there',
  },
}

async function testFiles(): Promise<string[]> {
  const root = join(import.meta.dirname, '../..')
  const files = ['src', 'test'].map((folder) =>
    readdir(join(root, folder), { recursive: true, withFileTypes: true }),
  )
  return (await Promise.all(files))
    .flat()
    .filter((entry) => entry.name.endsWith('.test.ts') && entry.name !== 'vectors.test.ts')
    .map((entry) => join(entry.parentPath, entry.name))
}
