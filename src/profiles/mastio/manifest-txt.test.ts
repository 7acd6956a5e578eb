import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatManifestText, parseManifestText } from './manifest-txt.ts'

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
const files = [
  { path: 'proxy.env', size: 7, sha256: b },
  { path: 'data/mcp_proxy.db', size: 4096, sha256: a },
]
const about = {
  bundle: '/opt/bundle',
  takenAt: new Date('2026-05-14T10:30:25Z'),
  version: '0.4.4',
  host: 'mastio.acme.test',
}

test('what is written is read back', () => {
  const text = formatManifestText({ ...about, files })
  assert.match(text, /^Backup taken: 20260514T103025Z$/m)
  assert.match(text, /^ {2}\.\/data\/mcp_proxy\.db {2}\(4096 bytes\)$/m)
  const said = parseManifestText(text)
  assert.ok(typeof said !== 'string')
  const { sums, ...rest } = said
  assert.deepEqual(rest, about)
  assert.deepEqual(
    [...sums],
    [
      ['data/mcp_proxy.db', a],
      ['proxy.env', b],
    ],
  )
})

test('sizes say nothing, a wrong one of its own least of all', () => {
  const text = formatManifestText({ ...about, files }).replace(
    'Contents:\n',
    'Contents:\n  ./MANIFEST.txt  (151 bytes)\n',
  )
  assert.ok(typeof parseManifestText(text) !== 'string')
})

test('a list of checksums that is none is told', () => {
  for (const [text, reason] of [
    ['Host: x\n', /no line/],
    ['SHA256 checksums:\n\n', /no checksum/],
    [`SHA256 checksums:\n${a}  ./x\n${a} x\n`, /is none/],
    [`SHA256 checksums:\n${a.toUpperCase()}  ./x\n`, /is none/],
    [`SHA256 checksums:\n${a}  ./x\n${b}  x\n`, /x twice/],
  ] as const) {
    const said = parseManifestText(text)
    assert.ok(typeof said === 'string')
    assert.match(said, reason)
  }
})
