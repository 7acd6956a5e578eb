import assert from 'node:assert/strict'
import type { BigIntStats } from 'node:fs'
import { linkSync, lstatSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { testFolder } from '../../test/support/tree-folder.ts'
import { HardLinks } from './hard-links.ts'

test('further names of a file are known by the first, and another file with its number is not', async () => {
  await using folder = await testFolder()
  writeFileSync(folder.join('a'), '')
  for (const name of ['b', 'c']) linkSync(folder.join('a'), folder.join(name))
  const look = (name: string): BigIntStats => lstatSync(folder.join(name), { bigint: true })
  const links = new HardLinks()
  assert.equal(links.earlier(look('a')), undefined)
  links.add(look('a'), 'a')
  const reused = Object.assign(look('b'), { birthtimeNs: 1n })
  assert.equal(links.earlier(reused), undefined)
  assert.equal(links.earlier(look('b')), 'a')
  assert.equal(links.earlier(look('c')), 'a')
  // All names were met: a further one is of a file that came later.
  assert.equal(links.earlier(look('c')), undefined)
})
