import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

import { sshd } from '../support/sshd-server.ts'
import { credentials, versitygw } from '../support/versitygw-server.ts'

const main = resolve(import.meta.dirname, '../../src/main.ts')

test('a backup goes to a folder, a bucket and another host; each alone brings the application back', async () => {
  await using stack = new AsyncDisposableStack()
  const bucket = stack.use(await versitygw())
  const host = stack.use(await sshd())
  const root = await mkdtemp(join(tmpdir(), 'sealift-targets-'))
  stack.defer(async () => await rm(root, { recursive: true, force: true }))
  await mkdir(join(root, 'app'))
  await mkdir(join(root, 'far'))
  await writeFile(join(root, 'app', 'notes.txt'), 'what was written'.repeat(100_000))
  await writeFile(join(root, 'passphrase'), 'six random words make one\n', { mode: 0o600 })
  const targets = {
    disk: `kind: local, path: archives`,
    bucket: `kind: s3, bucket: archives, prefix: notes, endpoint: "${bucket.endpoint}"`,
    far: `kind: rsync, host: 127.0.0.1, port: ${host.port}, user: ${host.user}, folder: ${root}/far, ssh_key_file: ${host.key}, known_hosts_file: ${host.knownHosts}`,
  }
  const configure = async (file: string, names: readonly (keyof typeof targets)[]) => {
    const lines = names.map((name) => `  - { name: ${name}, ${targets[name]} }`)
    const sources = 'sources:\n  - { name: files, kind: files, path: app }'
    const text = `version: 1\napp: notes\nstate_dir: state-${file}\n${sources}\ntargets:\n${lines.join('\n')}\nseal: { passphrase_file: passphrase }\n`
    await writeFile(join(root, file), text)
    return join(root, file)
  }
  const sealift = async (config: string, ...args: string[]) =>
    await new Promise<{ code: number; report: { result?: unknown; error?: unknown } }>((done) => {
      execFile(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', main, ...args, '--config', config, '--json'],
        { env: { PATH: process.env['PATH'], HOME: root, ...credentials }, maxBuffer: 2 ** 26 },
        (error, stdout) =>
          done({
            code: error === null ? 0 : Number(error.code),
            report: JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}'),
          }),
      )
    })

  const all = await configure('all.yaml', ['disk', 'bucket', 'far'])
  const made = await sealift(all, 'backup')
  assert.equal(made.code, 0, JSON.stringify(made.report))
  const { copies } = made.report.result as { copies: { target: string; ok: boolean }[] }
  assert.deepEqual(copies, [
    { target: 'bucket', ok: true, state: 'compared' },
    { target: 'far', ok: true, state: 'compared' },
  ])
  for (const name of ['bucket', 'far'] as const) {
    const alone = await configure(`${name}.yaml`, [name])
    const verified = await sealift(alone, 'verify', 'latest')
    assert.equal(verified.code, 0, JSON.stringify(verified.report))
    const to = join(root, `restored-${name}`)
    const restored = await sealift(alone, 'restore', 'latest', '--to', to)
    assert.equal(restored.code, 0, JSON.stringify(restored.report))
    const found = (await readdir(to, { recursive: true })).find((path) => path.endsWith('notes.txt')) ?? ''
    assert.equal(await readFile(join(to, found), 'utf8'), 'what was written'.repeat(100_000))
    assert.deepEqual(await readdir(join(root, `state-${name}.yaml`, 'transit', 'rsync')).catch(() => []), [])
  }

  await host[Symbol.asyncDispose]()
  const half = await configure('half.yaml', ['disk', 'far', 'bucket'])
  const partly = await sealift(half, 'backup')
  assert.notEqual(partly.code, 0)
  assert.match(JSON.stringify(partly.report), /"target":"far","ok":false.*Connection refused/)
  assert.match(JSON.stringify(partly.report), /"target":"bucket","ok":true/)
})
