import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import type { CaStore } from '../../../test/support/mastio-database.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { keyStoreState } from './ca-mode.ts'
import { checkEnv } from './env-checks.ts'
import { readEnv, withKey } from './env-file.ts'
import { openSnapshot } from './snapshot-database.ts'

const { signal } = new AbortController()

/** The state of the key store under a key, and what the checks of `proxy.env` make of it. */
async function under(ca: CaStore, key?: string): Promise<string[]> {
  await using folder = await testFolder()
  const bundle = makeBundle(folder.path, { ca })
  const text = key === undefined ? bundle.env : withKey(bundle.env, 'MCP_PROXY_DB_ENCRYPTION_KEY', key)
  using db = openSnapshot(bundle.database)
  const pkiKey = await keyStoreState(db, readEnv(text))
  const findings = await checkEnv(readEnv(text), { now: new Date(), pkiKey }, signal)
  return [pkiKey, ...findings.filter(({ check }) => check === 'pki-key').map((one) => one.class)]
}

test('an encrypted database is fit for use with its own key alone', async () => {
  assert.deepEqual(await under('encrypted'), ['opens'])
  assert.deepEqual(await under('encrypted', 'another-long-passphrase'), ['wrong', 'fail'])
  assert.deepEqual(await under('encrypted', ''), ['missing', 'fail'])
  assert.deepEqual(await under('encrypted', 'fifteen-letters'), ['too-short', 'fail'])
  assert.deepEqual(await under('plaintext'), ['not-encrypted'])
})
