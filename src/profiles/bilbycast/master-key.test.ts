import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkMasterKey, findMasterKey, MASTER_KEY_VARIABLE as NAME } from './master-key.ts'

const root = await mkdtemp(join(tmpdir(), 'sealift-master-key-'))
const folder = join(root, 'inner')
await mkdir(folder)
after(() => rm(root, { recursive: true }))

const hex = '0123456789abcdef'.repeat(4)

test('a master key is refused in the words of the application', () => {
  const cases: readonly [string | undefined, string][] = [
    [undefined, 'Environment variable BILBYCAST_MASTER_KEY is not set.'],
    ['', 'Environment variable BILBYCAST_MASTER_KEY is not set.'],
    [
      hex.slice(1),
      'Environment variable BILBYCAST_MASTER_KEY is too short (63 chars). Must be at least 64 hex chars (32 bytes)',
    ],
    ...['change-me', 'DEFAULT', 'Secret', 'passWord', 'bilbycast-manager-default'].map(
      (weak): [string, string] => [
        hex + weak,
        'Environment variable BILBYCAST_MASTER_KEY contains a weak/default value.',
      ],
    ),
  ]
  for (const [value, message] of cases)
    assert.throws(() => checkMasterKey(value), { code: 'MASTER_KEY_REFUSED', message })
})

test('characters that are no hex digits only warn, and nothing is trimmed or folded', () => {
  assert.deepEqual(checkMasterKey(hex).warnings, [])
  for (const value of [hex.toUpperCase(), ` ${hex}\n`, 'zz'.repeat(32)])
    assert.equal(checkMasterKey(value).key.reveal(), value)
  assert.equal(checkMasterKey(`${hex}\n`).warnings.length, 1)
  assert.ok(!checkMasterKey(`${hex} `).warnings.join().includes(hex))
})

test('the environment comes first, then .env, then ../.env', async () => {
  const found = async (env: Record<string, string>): Promise<string> =>
    (await findMasterKey(env, folder)).key.reveal()
  const [outer, inner, given] = ['a', 'b', 'c'].map((digit) => digit.repeat(64))
  await assert.rejects(findMasterKey({}, folder), { code: 'MASTER_KEY_REFUSED' })
  await writeFile(join(root, '.env'), `OTHER=1\n${NAME}=${outer}\n`)
  assert.equal(await found({}), outer)
  await writeFile(
    join(folder, '.env'),
    `# ${NAME}=comment\nexport ${NAME} = "${inner}" # note\r\n${NAME}=later\n`,
  )
  assert.equal(await found({}), inner)
  assert.equal(await found({ [NAME]: given ?? '' }), given)
  await assert.rejects(findMasterKey({ [NAME]: '' }, folder), { code: 'MASTER_KEY_REFUSED' })
  await writeFile(join(folder, '.env'), `${NAME}='${given}'`)
  assert.equal(await found({}), given)
})

test('the first file that exists decides, also without the key in it', async () => {
  await writeFile(join(folder, '.env'), 'OTHER=1\n')
  await assert.rejects(findMasterKey({}, folder), { code: 'MASTER_KEY_REFUSED' })
})
