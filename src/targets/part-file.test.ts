import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

import type { Owner } from './part-file.ts'
import { fateOf, ownerOf, partName, thisProcess } from './part-file.ts'

const self = thisProcess()

test('the name of a part file gives its owner back, and two of one archive differ', () => {
  const name = partName('wiki-2026.05.14.sealift', self)
  assert.deepEqual(ownerOf(name), self)
  assert.deepEqual(ownerOf(partName('wiki.tar.gz.gpg', self)), self)
  assert.notEqual(partName('wiki-2026.05.14.sealift', self), name)
  assert.ok(
    partName(`${'a'.repeat(182)}.sealift`, { ...self, pid: 2 ** 22, start: '1'.repeat(11) }).length <= 255,
  )
})

test('what is no part file has no owner', () => {
  const name = partName('a.sealift', self)
  for (const other of [
    'a.sealift',
    '.a.sealift.part',
    name.slice(1),
    `${name}x`,
    `.${name}`.replace('.part', ''),
  ]) {
    assert.equal(ownerOf(other), undefined, other)
  }
})

test('this process lives', () => {
  assert.equal(fateOf(self, self), 'living')
})

test('a process that has ended is dead, also before it is reaped', async () => {
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  assert.ok(child.pid !== undefined)
  const owner: Owner = { ...self, pid: child.pid, start: await startOf(child.pid) }
  assert.equal(fateOf(owner, self), 'living')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(fateOf(owner, self), 'dead')
})

test('a pid that another process uses now is not its owner', () => {
  assert.equal(fateOf({ ...self, start: '1' }, self), 'dead')
})

test('an owner from before the last boot is dead, and one of another machine or container is unknown', () => {
  assert.equal(fateOf({ ...self, boot: 'ffffffff' }, self), 'dead')
  assert.equal(fateOf({ ...self, machine: 'ffffffff' }, self), 'unknown')
  assert.equal(fateOf({ ...self, namespace: 'ffffffff' }, self), 'unknown')
})

test('where the system does not tell, nothing is known', () => {
  const silent = { ...self, boot: '00000000', namespace: '00000000', start: '0' }
  assert.equal(fateOf(silent, silent), 'unknown')
  assert.equal(fateOf(self, silent), 'unknown')
})

async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
