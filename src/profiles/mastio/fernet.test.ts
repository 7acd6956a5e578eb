import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encryptedPki } from '../../../test/support/mastio-fernet.ts'
import { Secret } from '../../secret.ts'
import { openFernet, openPki, pkiKey } from './fernet.ts'

const vector =
  'gAAAAABqBaRBAAECAwQFBgcICQoLDA0OD5OucthPcsMBdx_U-Gw_n5rxYg672iShQwo8R1uSOiES9z-gXJ6NZ06Utmj31lED7y04k1-49-TD3DZHJMWT6bF3z7prdQOqYydZYFIZWSSu'

test('the vector of the encrypted CA opens with its passphrase, trimmed', async () => {
  for (const passphrase of ['correct horse battery staple', '  correct horse battery staple\n']) {
    const key = await pkiKey(new Secret(passphrase))
    assert.ok(key)
    assert.equal(openFernet(vector, key)?.toString('utf8'), '{"key_pem": "K", "cert_pem": "C"}')
    assert.deepEqual(openPki(`enc:pki:v1:${vector}`, key), { keyPem: 'K', certPem: 'C' })
  }
})

test('another passphrase, a changed byte, a cut token and another prefix open nothing', async () => {
  const right = await pkiKey(new Secret('correct horse battery staple'))
  const wrong = await pkiKey(new Secret('incorrect horse battery staple'))
  assert.ok(right && wrong)
  assert.equal(openFernet(vector, wrong), undefined)
  for (const at of [0, 5, 20, 60, vector.length - 3]) {
    const changed = `${vector.slice(0, at)}${vector[at] === 'A' ? 'B' : 'A'}${vector.slice(at + 1)}`
    assert.equal(openFernet(changed, right), undefined, `byte ${at}`)
  }
  assert.equal(openFernet(vector.slice(0, 60), right), undefined)
  assert.equal(openFernet('', right), undefined)
  assert.equal(openPki(vector, right), undefined)
})

test('a passphrase of fewer than 16 characters is not taken, as in the application', async () => {
  assert.equal(await pkiKey(new Secret(`${'x'.repeat(15)}  `)), undefined)
  assert.ok(await pkiKey(new Secret('x'.repeat(16))))
})

test('what is inside and no pair of PEMs is refused without being quoted', async () => {
  const key = await pkiKey(new Secret('correct horse battery staple'))
  assert.ok(key)
  const odd = encryptedPki({ key: undefined as unknown as string, cert: 'C' }, 'correct horse battery staple')
  assert.equal(openPki(odd, key), undefined)
})
