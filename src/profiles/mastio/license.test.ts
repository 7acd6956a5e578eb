import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { readEnv } from './env-file.ts'
import {
  checkLicense,
  convertPlaceholder,
  licensePlaceholder,
  readLicense,
  redactLicense,
} from './license.ts'

const claims = (iat: number): string =>
  Buffer.from(JSON.stringify({ sub: 'acme', iat })).toString('base64url')
const now = new Date('2026-05-14T10:30:25Z')
const issued = (days: number): string =>
  `eyJhbGciOiJSUzI1NiJ9.${claims(now.getTime() / 1000 - days * 86_400)}.c2lnbmF0dXJlLW9mLXRoZS12ZW5kb3I`
const token = issued(10)
const lines = (...texts: string[]): string => `${texts.join('\n')}\n`

/** No part of the token that somebody could use, nor the text between two of its dots. */
function assertGone(text: string, secret = token): void {
  for (const part of [secret, ...secret.split('.')]) assert.ok(!text.includes(part), text)
}

const dresses: [string, string][] = [
  ['plain', `CULLIS_LICENSE_KEY=${token}`],
  ['indented', `  \tCULLIS_LICENSE_KEY=${token}`],
  ['exported', `export CULLIS_LICENSE_KEY=${token}`],
  ['commented', `# CULLIS_LICENSE_KEY=${token}`],
  ['commented export', `  ## export CULLIS_LICENSE_KEY=${token} # old`],
  ['in double quotes', `CULLIS_LICENSE_KEY="${token}"`],
  ['in single quotes, exported', `export CULLIS_LICENSE_KEY='${token}' # quoted`],
  ['with spaces', `CULLIS_LICENSE_KEY = ${token}`],
  ['with a colon', `CULLIS_LICENSE_KEY: ${token}`],
  ['as an old name', `OLD_CULLIS_LICENSE_KEY=${token}`],
  ['over two lines', `CULLIS_LICENSE_KEY=${token.slice(0, 30)}\\\n${token.slice(30)}`],
  ['in an open quote', `CULLIS_LICENSE_KEY="${token.slice(0, 30)}\n${token.slice(30)}"`],
  ['with CRLF', `CULLIS_LICENSE_KEY=${token}\r`],
  ['in a command', `#docker run -e CULLIS_LICENSE_KEY=${token} image`],
  ['inside another value', `ARGS="-e CULLIS_LICENSE_KEY=${token} -v"`],
  ['quoted in a command', `ARGS='-e CULLIS_LICENSE_KEY="${token}"'`],
  ['behind another export', `export A=1 CULLIS_LICENSE_KEY=${token}; B=3`],
]
for (const [dress, line] of dresses) {
  test(`a license line is redacted: ${dress}`, () => {
    const { text, state } = redactLicense(lines('# head', 'A=1', line, 'B=2'))
    assert.equal(state, 'redacted')
    assertGone(text)
    assert.equal(text.startsWith('# head\nA=1\n'), true)
    assert.equal(text.endsWith('\nB=2\n'), true)
    assert.match(text, new RegExp(`CULLIS_LICENSE_KEY *[=:] ?${licensePlaceholder}`))
    if (dress !== 'with a colon' && dress !== 'with spaces') bashReads(text)
  })
}

/** Throws what bash says of the text, if it cannot be sourced. */
function bashReads(text: string): void {
  execFileSync('bash', ['-n'], { input: text, stdio: ['pipe', 'ignore', 'pipe'] })
}

test('other copies of the same value go too, in any place', () => {
  const text = lines(
    `COPY=${token}`,
    `# was ${token} until May`,
    `CULLIS_LICENSE_KEY=${token}`,
    `URL=https://x.test/?key=${token}&a=1`,
  )
  const redacted = redactLicense(text).text
  assertGone(redacted)
  assert.match(redacted, /URL=https:\/\/x\.test\/\?key=REDACTED[A-Z-]+&a=1/)
})

test('two different licenses are both redacted', () => {
  const old = issued(400)
  const { text } = redactLicense(
    lines(`#CULLIS_LICENSE_KEY=${old}`, `CULLIS_LICENSE_KEY=${token}`, `X=${old}`),
  )
  assertGone(text)
  assertGone(text, old)
})

test('lines that are no license stay byte for byte', () => {
  const plain = lines(
    '# CULLIS_LICENSE_KEY: the token of MCP_PROXY_ENVIRONMENT, see docs.cullis.test',
    'CULLIS_LICENSE_PATH=/etc/license',
    'CULLIS_LICENSE_KEY=',
    'MCP_PROXY_ENVIRONMENT=development',
  )
  assert.deepEqual(redactLicense(plain), { text: plain, state: 'absent' })
})

test('a short value is redacted where it is assigned, and is not hunted in other lines', () => {
  const { text } = redactLicense(lines('CULLIS_LICENSE_KEY=dev', 'A=development'))
  assert.equal(text, lines(`CULLIS_LICENSE_KEY=${licensePlaceholder}`, 'A=development'))
})

test('both placeholders are recognised, block readiness, and are written in the form that shell reads', () => {
  for (const placeholder of [licensePlaceholder, `<${licensePlaceholder}>`, `"<${licensePlaceholder}>"`]) {
    const text = lines('A=1', `CULLIS_LICENSE_KEY=${placeholder}`)
    const env = readEnv(text)
    assert.equal(readLicense(env).state, 'redacted')
    assert.deepEqual(
      checkLicense(env, now).map((one) => [one.check, one.class]),
      [['license-redacted', 'fail']],
    )
    const converted = convertPlaceholder(text)
    assert.ok(!converted.includes('<'))
    bashReads(converted)
    assert.equal(readLicense(readEnv(converted)).state, 'redacted')
    assert.equal(redactLicense(text).state, 'redacted')
    bashReads(redactLicense(text).text)
  }
  assert.throws(() => bashReads(lines(`CULLIS_LICENSE_KEY=<${licensePlaceholder}>`)))
})

test('the shape and the age of a license are checked, and its value is not told', () => {
  const check = (value: string): string[] => {
    const found = checkLicense(readEnv(`CULLIS_LICENSE_KEY=${value}\n`), now)
    if (value !== '') assert.ok(!JSON.stringify(found).includes(value))
    return found.map((one) => one.check)
  }
  assert.deepEqual(check(token), [])
  assert.deepEqual(check(issued(90)), [])
  assert.deepEqual(check(issued(91)), ['license-old'])
  assert.deepEqual(check('a.b'), ['license-shape'])
  assert.deepEqual(check('opaque-x.y.z'), [])
  assert.deepEqual(check(''), [])
})
