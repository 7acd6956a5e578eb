import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { issueServer, orgIdOf, rotatedRoot, testPki } from '../../../test/support/mastio-pki.ts'
import {
  alternativeNames,
  certificateIn,
  certificatesIn,
  commonName,
  derivedOrgId,
  fingerprint,
  isUnder,
  keyMatches,
} from './pki.ts'

const pki = testPki()
const [root, intermediate] = [new X509Certificate(pki.root.cert), new X509Certificate(pki.intermediate.cert)]

test('certificates of a file come in order, and the fingerprint is that of openssl', () => {
  const both = certificatesIn(Buffer.from(`text\n${pki.root.cert}\n${pki.intermediate.cert}`))
  assert.deepEqual(both.map(fingerprint), [root, intermediate].map(fingerprint))
  assert.equal(fingerprint(root), root.fingerprint256.replaceAll(':', '').toLowerCase())
  assert.equal(certificateIn('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'), undefined)
  assert.equal(certificateIn(undefined), undefined)
})

test('a chain holds from leaf to Root, and not under a Root of the same name', () => {
  const leaf = new X509Certificate(pki.server.cert)
  const rotated = new X509Certificate(rotatedRoot(pki).cert)
  const stranger = new X509Certificate(testPki({ lineage: 'other' }).root.cert)
  assert.equal(commonName(rotated), commonName(root))
  assert.deepEqual(
    [isUnder(intermediate, root), isUnder(leaf, intermediate), isUnder(leaf, root)],
    [true, true, false],
  )
  assert.deepEqual([isUnder(intermediate, rotated), isUnder(intermediate, stranger)], [false, false])
})

test('a key belongs to its own certificate alone, and what is no key to none', () => {
  assert.equal(keyMatches(root, pki.root.key), true)
  assert.equal(keyMatches(root, pki.intermediate.key), false)
  assert.equal(keyMatches(root, 'no key'), false)
})

test('the organisation is derived from the public key of the Root', () => {
  assert.equal(derivedOrgId(root), pki.orgId)
  assert.equal(derivedOrgId(root), orgIdOf(pki.root.key))
  assert.equal(commonName(root), `${pki.orgId} CA`)
})

test('names and addresses of a server certificate', () => {
  const leaf = new X509Certificate(issueServer(pki.intermediate, ['Mastio.acme.test', '10.0.0.7']).cert)
  assert.deepEqual(alternativeNames(leaf), ['mastio.acme.test', '10.0.0.7'])
  assert.deepEqual(alternativeNames(root), [])
})
