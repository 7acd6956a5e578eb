import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { stackOf, vetChange } from './stack.ts'

test('a bundle is stopped and started by its deploy.sh, or by Compose under its own project', async () => {
  await using folder = await testFolder()
  makeBundle(folder.path, { edition: 'enterprise' })
  const live = new Map([['config', folder.join('proxy.env')]])
  const compose = ['docker', 'compose', '-p', 'cullis-mastio-enterprise', '--env-file', 'proxy.env']
  assert.deepEqual(await stackOf(live), {
    folder: folder.path,
    stop: [...compose, 'down'],
    start: [...compose, 'up', '-d'],
  })
  writeFileSync(folder.join('deploy.sh'), '')
  assert.deepEqual((await stackOf(live))?.stop, ['./deploy.sh', '--down'])
  rmSync(folder.join('deploy.sh'))
  rmSync(folder.join('docker-compose.yml'))
  assert.equal(await stackOf(live), undefined)
  assert.equal(await stackOf(new Map()), undefined)
})

test('an upgrade to what is no version is refused', () => {
  assert.equal(vetChange(['./deploy.sh', '--upgrade', '0.4.5-rc.1', '--image-only']), undefined)
  assert.equal(vetChange(['./deploy.sh', '--pull']), undefined)
  assert.equal(vetChange(['./deploy.sh', '--upgrade']), undefined)
  for (const version of ['../x', '1.0;id', '', 'a b']) {
    assert.match(vetChange(['./deploy.sh', '--upgrade', version]) ?? '', /is no version/)
    assert.match(vetChange(['./deploy.sh', `--upgrade=${version}`]) ?? '', /is no version/)
  }
})
