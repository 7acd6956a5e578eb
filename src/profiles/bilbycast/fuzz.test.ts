import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzz } from '../../../test/support/bilbycast-fuzz.ts'

test('3,000 changed files of both formats are refused by name, each way of it among them', async () => {
  const answers = await fuzz(3000, 20_260_427)
  for (const code of [
    'FOREIGN_NOT_RECOGNISED',
    'FOREIGN_CUT',
    'FOREIGN_HEADER_REFUSED',
    'FOREIGN_NOT_OPENED',
    'FOREIGN_CONTENT_REFUSED',
  ])
    assert.ok((answers[code] ?? 0) > 50, `${code}: ${answers[code] ?? 0}`)
  assert.equal(
    Object.values(answers).reduce((sum, n) => sum + n, 0),
    3000,
  )
})
