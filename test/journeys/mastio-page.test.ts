import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { sealift, start } from '../support/journey-program.ts'
import { emptyWorld } from '../support/journey-world.ts'
import { makeBundle } from '../support/mastio-bundle.ts'
import { freePort } from '../support/mastio-installation.ts'
import { makeStubs } from '../support/mastio-stubs.ts'
import { stepsOf, tells, withOutputs } from '../support/page-transcript.ts'

/**
 * The transcripts of docs/profiles/mastio.md are played from the first command to the last, on a bundle with stand-ins
 * for `docker` and `deploy.sh`. `SEALIFT_UPDATE_PAGE=1` writes what was printed into the page, where it differs.
 */
const root = path.resolve(import.meta.dirname, '../..')
const page = path.join(root, 'docs/profiles/mastio.md')
const updating = process.env['SEALIFT_UPDATE_PAGE'] !== undefined

/** Where the page's absolute paths lie in the test. */
const places = [
  '/opt/cullis-mastio-bundle',
  '/srv/new-host',
  '/etc/cullis',
  '/var/backups/cullis',
  '/mnt/usb/cullis',
]

test('the commands of the operator’s page do what it says', { timeout: 300_000 }, async (t) => {
  const text = readFileSync(page, 'utf8')
  const steps = stepsOf(text)
  assert.ok(steps.length >= 15, `${steps.length} commands`)
  using world = emptyWorld()
  for (const place of places) mkdirSync(path.dirname(world.join(place)), { recursive: true })
  const folder = world.join('/opt/cullis-mastio-bundle')
  mkdirSync(folder)
  const bundle = makeBundle(folder)
  const port = await freePort()
  const stubs = await makeStubs(bundle, world.join('stubs'), port)
  t.after(() => stubs.stop())
  execFileSync(stubs.deploy)

  const there = (words: string): string =>
    words
      .replaceAll(new RegExp(`(?<![\\w.])(${places.join('|')})`, 'g'), (place) => world.join(place))
      .replaceAll(/localhost:9443/g, `localhost:${port}`)
      .replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z/g, new Date().toISOString())
  const back = (words: string): string =>
    words.replaceAll(world.folder, '').replaceAll(`localhost:${port}`, 'localhost:9443').trim()
  const env = {
    PATH: [stubs.path, path.join(root, 'bin'), process.env['PATH'] ?? ''].join(':'),
    SEALIFT_STATE_DIR: world.join('var/lib/sealift'),
  }
  const printed: string[] = []
  const kept: string[] = []
  for (const { command, output } of steps) {
    const script = [...kept, there(command)].join('\n')
    const { stdout, stderr, code } = await start(world, ['bash', '-c', `exec 2>&1\n${script}`], { env }).ended
    assert.equal(stderr, '')
    if (/^(cd|export) /.test(command)) kept.push(there(command))
    // What `init` writes names places of its own.
    if (command.startsWith('sealift init ')) {
      const config = world.join('etc/cullis/sealift.yaml')
      writeFileSync(config, there(readFileSync(config, 'utf8')))
    }
    const told = back(stdout)
    assert.ok(code === 0 || code === 1, `$ ${command}: ${code}\n${told}`)
    for (const secret of bundle.secrets) assert.ok(!told.includes(secret), command)
    const holds = tells(output, told)
    if (!updating) assert.ok(holds, `$ ${command}\n${told}\n\nThe page says:\n${output}`)
    printed.push(holds ? output : told)
  }
  if (updating) writeFileSync(page, withOutputs(text, printed))
})

test('the targets that the page shows are sound', async () => {
  using world = emptyWorld()
  const [, targets = ''] = /```yaml\n(targets:\n[\s\S]*?)```/.exec(readFileSync(page, 'utf8')) ?? []
  const config = `version: 1\napp: mastio\nprofile: mastio\nsources:\n  - { name: config, kind: files, path: proxy.env }\n`
  writeFileSync(
    world.join('sealift.yaml'),
    `${config}${targets}seal: { passphrase_file: /etc/cullis/backup.pass }\n`,
  )
  const { code, stdout, stderr } = await sealift(world, ['config', 'check'])
  assert.equal(code, 0, stdout + stderr)
  assert.ok(targets.split('\n').length >= 5)
})
