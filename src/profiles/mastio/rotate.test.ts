import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, chown, lstat, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { differingKeys, readEnv, valueOf } from './env-file.ts'
import { rotateLocalSecrets } from './rotate.ts'

test('the two local secrets become new ones of 64 hex digits, and nothing else of the file changes', async () => {
  await using folder = await testFolder()
  const { path } = makeBundle(folder.path)
  const file = `${path}/proxy.env`
  await chmod(file, 0o640)
  if (process.getuid?.() === 0) await chown(file, 1234, 5678)
  await writeFile(`${file}.sealift-part`, 'left by a killed run', { mode: 0o600 })
  const before = await readFile(file, 'latin1')
  const keys = await rotateLocalSecrets(file, randomBytes)
  const after = await readFile(file, 'latin1')
  assert.deepEqual(differingKeys(readEnv(before), readEnv(after)), keys.toSorted())
  const values = keys.map((key) => valueOf(readEnv(after), key))
  for (const value of values) assert.match(value ?? '', /^[0-9a-f]{64}$/)
  assert.equal(new Set(values).size, 2)
  const { mode, uid, gid } = await lstat(file)
  assert.equal(mode & 0o7777, 0o640)
  if (process.getuid?.() === 0) assert.deepEqual([uid, gid], [1234, 5678])
  assert.ok(!(await readdir(path)).some((name) => name.includes('sealift')))
})

test('a proxy.env behind a symlink is changed where it lies, and a missing one is named', async () => {
  await using folder = await testFolder()
  await writeFile(folder.join('real.env'), 'MCP_PROXY_ADMIN_SECRET=a\n')
  await symlink('real.env', folder.join('proxy.env'))
  await rotateLocalSecrets(folder.join('proxy.env'), randomBytes)
  assert.ok((await lstat(folder.join('proxy.env'))).isSymbolicLink())
  assert.match(
    await readFile(folder.join('real.env'), 'utf8'),
    /^MCP_PROXY_ADMIN_SECRET=[0-9a-f]{64}\nMCP_PROXY_DASHB/,
  )
  await assert.rejects(rotateLocalSecrets(folder.join('none'), randomBytes), { code: 'IO_FAILED' })
})
