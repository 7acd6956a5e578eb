import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const root = path.resolve(import.meta.dirname, '../..')
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')

/** The transcript in the README: each command with what it is said to print. */
function transcript(): { command: string; output: string }[] {
  const block = /```console\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = '', ...lines] = step.split('\n')
      return { command, output: lines.join('\n') }
    })
}

/** What differs from run to run, replaced by what kind of thing it is. */
function alike(text: string): string {
  return text
    .replaceAll(/\d{8}T\d{6}Z/g, '<time>')
    .replaceAll(/\d{4}-\d{2}-\d{2} \d{2}:\d{2}Z/g, '<time>')
    .replaceAll(/\b[0-9a-f]{8}\b/g, '<id>')
    .replaceAll(/\d+(\.\d)? (B|KiB|MiB)\b/g, '<size>')
    .replaceAll(/\d+(\.\d+)? s\b/g, '<seconds>')
    .replaceAll(/[\d,]+ (rows|bytes)/g, '<count> $1')
    .replaceAll(/ +/g, ' ')
    .trim()
}

test('the first steps in the README do what it says', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sealift-readme-'))
  const place = path.join(folder, 'notes')
  try {
    await promisify(execFile)(path.join(root, 'script/demo'), ['--keep', place], { maxBuffer: 1 << 24 })
    const env = {
      ...process.env,
      PATH: `${path.join(root, 'bin')}:${process.env['PATH'] ?? ''}`,
      LC_ALL: 'C.UTF-8',
    }
    const steps = transcript()
    assert.ok(steps.length >= 5, 'the README has a transcript')
    for (const { command, output } of steps.slice(1)) {
      const { stdout } = await promisify(execFile)('sh', ['-c', `${command} 2>&1`], { cwd: place, env })
      assert.equal(alike(stdout.replaceAll(place, '/tmp/notes')), alike(output), `$ ${command}`)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('every file that the README and the documents link to is there', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...[
      'design',
      'threat-model',
      'restore',
      'cli',
      'config',
      'errors',
      'evidence',
      'targets',
      'profiles/mastio',
    ].map((name) => `docs/${name}.md`),
    'spec/README.md',
    'spec/archive-v1.md',
  ]
  for (const name of documents) {
    const text = readFileSync(path.join(root, name), 'utf8')
    for (const [, link = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(link)) continue
      assert.ok(existsSync(path.resolve(root, path.dirname(name), link)), `${name} links to ${link}`)
    }
  }
})
