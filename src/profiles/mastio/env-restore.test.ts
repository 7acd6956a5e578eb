import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testLicense } from '../../../test/support/mastio-bundle.ts'
import { readEnv, valueOf } from './env-file.ts'
import { planEnv } from './env-restore.ts'
import type { EnvPlan } from './env-restore.ts'
import { licensePlaceholder, redactLicense } from './license.ts'

const live = `A=1\nMCP_PROXY_ADMIN_SECRET=s3cret\nCULLIS_LICENSE_KEY=${testLicense}\n`
const archived = redactLicense(live).text
const other = archived.replace('A=1', 'A=2').replace('s3cret', 'other-s3cret')

/** The plan without its texts, which may hold secrets. */
function shape({ action, write, setAside, differing }: EnvPlan): unknown[] {
  return [action, write.map(({ name }) => name), setAside, differing]
}

test('without a live file the archive’s is installed, its placeholder in the form that shell reads', () => {
  const plan = planEnv(archived.replace(licensePlaceholder, `<${licensePlaceholder}>`), undefined, {
    take: 'live',
  })
  assert.deepEqual(shape(plan), ['install', ['proxy.env'], false, []])
  assert.equal(plan.effective, archived)
  assert.equal(plan.write[0]?.text, plan.effective)
})

test('a live file that differs in the license alone is the same, and stays with its license', () => {
  for (const take of ['live', 'archive'] as const) {
    const plan = planEnv(archived, live, { take })
    assert.deepEqual(shape(plan), ['same', [], false, []])
    assert.equal(plan.effective, live)
  }
})

test('a live file that differs stays, the archive’s is put beside it, and only keys are told', () => {
  const plan = planEnv(other, live, { take: 'live' })
  assert.deepEqual(shape(plan), ['keep', ['proxy.env.restored'], false, ['A', 'MCP_PROXY_ADMIN_SECRET']])
  assert.equal(plan.effective, live)
  assert.equal(plan.write[0]?.text, other)
})

test('the archive’s file is adopted on request, and the live one set aside', () => {
  const plan = planEnv(other, live, { take: 'archive' })
  assert.deepEqual(shape(plan), ['adopt', ['proxy.env'], true, ['A', 'MCP_PROXY_ADMIN_SECRET']])
  // But for the license, which it lost on its way into the archive.
  assert.equal(plan.effective, other.replace(licensePlaceholder, testLicense))
  const kept = planEnv(other.replace(licensePlaceholder, 'a.b.c'), live, { take: 'archive' })
  assert.match(kept.effective, /^CULLIS_LICENSE_KEY=a\.b\.c$/m)
  const without = planEnv(other, live.replace(testLicense, 'none of three'), { take: 'archive' })
  assert.equal(without.effective, other)
})

test('a public URL is put into whichever file becomes effective', () => {
  const publicUrl = 'https://new.acme.test:9443'
  const url = ({ effective }: EnvPlan): string | undefined =>
    valueOf(readEnv(effective), 'MCP_PROXY_PROXY_PUBLIC_URL')
  const plans = [
    planEnv(archived, undefined, { take: 'live', publicUrl }),
    planEnv(other, live, { take: 'archive', publicUrl }),
    planEnv(other, live, { take: 'live', publicUrl }),
    planEnv(archived, live, { take: 'live', publicUrl }),
  ]
  assert.deepEqual(plans.map(url), Array(4).fill(publicUrl))
  assert.deepEqual(
    plans.map(shape).map(([action, write, aside]) => [action, write, aside]),
    [
      ['install', ['proxy.env'], false],
      ['adopt', ['proxy.env'], true],
      ['keep', ['proxy.env', 'proxy.env.restored'], true],
      ['same', ['proxy.env'], true],
    ],
  )
  assert.equal(valueOf(readEnv(plans[2]?.effective ?? ''), 'A'), '1')
})
