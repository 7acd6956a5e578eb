import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { generateKeypair } from '../archive/index.ts'
import { generic } from '../profiles/generic/generic.ts'
import { files } from '../sources/files.ts'
import { local } from '../targets/local.ts'
import { engineContext } from '../../test/support/engine-context.ts'
import { lockHolder } from '../../test/support/hold-lock.ts'
import { backup } from './backup.ts'
import { rekey } from './rekey.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'sealift-rekey-'))
  await mkdir(path.join(root, 'app'))
  await writeFile(path.join(root, 'app/note.txt'), 'note')
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

test('an archive of an application is not changed while another run works on it', async () => {
  const old = generateKeypair()
  const fresh = generateKeypair()
  const application = {
    app: 'notes',
    profile: generic,
    sources: [files.open('app', { path: path.join(root, 'app') })],
    targets: [local.open('disk', { path: path.join(root, 'archives') })],
    compression: 'zstd' as const,
    retention: undefined,
  }
  const ctx = engineContext(path.join(root, 'state'))
  const slots = () => Promise.resolve([{ type: 'recipient' as const, recipient: old.recipient }])
  assert.ok((await backup(ctx, { application, slots })).ok)
  const input = {
    archive: 'latest',
    application,
    keys: () => Promise.resolve([{ type: 'secret' as const, secret: old.secret }]),
    add: () => Promise.resolve([{ type: 'recipient' as const, recipient: fresh.recipient }]),
    remove: [],
  }
  const other = await lockHolder(path.join(root, 'state/locks'), 'notes')
  assert.equal((await rekey(ctx, input)).error?.code, 'LOCKED')
  const gone = new Promise((resolve) => other.once('exit', resolve))
  other.kill('SIGKILL')
  await gone
  const report = await rekey(ctx, input)
  assert.ok(report.ok, JSON.stringify(report.error))
  assert.equal(report.result?.header.slots.length, 2)
})
