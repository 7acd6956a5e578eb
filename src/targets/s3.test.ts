import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

import { s3 } from './s3.ts'

test('the place of a target says bucket, prefix and server, and opening it asks nobody', () => {
  const place = (options: Parameters<typeof s3.open>[1]) => s3.open('bucket', options).location
  assert.equal(place({ bucket: 'archives' }), 's3://archives')
  assert.equal(place({ bucket: 'archives', prefix: 'notes' }), 's3://archives/notes/')
  const endpoint = 'http://127.0.0.1:1'
  assert.equal(
    place({ bucket: 'archives', prefix: 'notes/', endpoint }),
    's3://archives/notes/ at 127.0.0.1:1',
  )
})

test('the AWS SDK is loaded with the first request and not before', () => {
  const code = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    const { s3 } = await import(${JSON.stringify(import.meta.resolve('./s3.ts'))})
    const target = s3.open('bucket', { bucket: 'archives', endpoint: 'http://127.0.0.1:1' })
    const sdk = () => loaded.filter((url) => url.includes('@aws-sdk')).length
    const before = sdk()
    const options = { signal: AbortSignal.timeout(50) }
    await Array.fromAsync(target.list(options.signal)).catch(() => undefined)
    console.log(JSON.stringify([loaded.length > 5, before, sdk() > 0]))`
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
  assert.deepEqual(JSON.parse(said), [true, 0, true])
})
