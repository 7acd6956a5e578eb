import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { generateKeypair } from '../archive/index.ts'
import { generic } from '../profiles/generic/generic.ts'
import { files } from '../sources/files.ts'
import { local } from '../targets/local.ts'
import { engineContext } from '../../test/support/engine-context.ts'
import { backup } from './backup.ts'
import { list } from './list.ts'
import { prune } from './prune.ts'

test('of archives of one second, `latest` and prune take the one that was made last', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'sealift-second-'))
  try {
    await mkdir(path.join(root, 'app'))
    await writeFile(path.join(root, 'app/note.txt'), 'note')
    const target = local.open('disk', { path: path.join(root, 'archives') })
    const application = {
      app: 'notes',
      profile: generic,
      sources: [files.open('app', { path: path.join(root, 'app') })],
      targets: [target],
      compression: 'zstd' as const,
      retention: undefined,
    }
    // The clock of this context stands still.
    const ctx = engineContext(path.join(root, 'state'))
    const { recipient } = generateKeypair()
    const slots = () => Promise.resolve([{ type: 'recipient' as const, recipient }])
    const names: string[] = []
    for (let time = 1; time <= 11; time += 1) {
      const report = await backup(ctx, { application, slots })
      assert.ok(report.ok, JSON.stringify(report.error))
      names.push(report.result?.archive.name ?? '')
    }
    assert.match(names[0] ?? '', /^notes-\d{8}T\d{6}Z\.sealift$/)
    assert.match(names[1] ?? '', /Z-2\.sealift$/)
    assert.match(names[10] ?? '', /Z-11\.sealift$/)
    const listed = await list(ctx, { application })
    assert.deepEqual(
      listed.result?.archives.map(({ name }) => name),
      names.toReversed(),
    )
    const pruned = await prune(ctx, { application, retention: { keep_last: 1 } })
    assert.ok(pruned.ok, JSON.stringify(pruned.error))
    const left = await Array.fromAsync(target.list(), ({ name }) => name)
    assert.deepEqual(left, [names[10]])
  } finally {
    await rm(root, { recursive: true })
  }
})
