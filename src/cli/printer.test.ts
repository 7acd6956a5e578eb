import assert from 'node:assert/strict'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { Printer } from './printer.ts'

/** An output that fails with a system error from its second write on. */
function failing(code: string): Writable {
  let writes = 0
  return new Writable({
    write(_chunk, _encoding, done) {
      writes += 1
      done(writes > 1 ? Object.assign(new Error(code), { code }) : null)
    },
  })
}

test('a reader that leaves is noticed and no error; later text goes nowhere', async () => {
  const printer = new Printer(failing('EPIPE'))
  let gone = 0
  printer.whenGone(() => (gone += 1))
  for (const line of ['one\n', 'two\n', 'three\n']) printer.print(line)
  await printer.flush()
  assert.equal(printer.readerGone, true)
  assert.ok(gone > 0)
})

test('a full disk is kept as a failure and is not the reader leaving', async () => {
  const printer = new Printer(failing('ENOSPC'))
  printer.whenGone(() => assert.fail('nobody left'))
  printer.print('one\n')
  printer.print('two\n')
  await printer.flush()
  assert.equal(printer.failure?.message, 'ENOSPC')
  assert.equal(printer.readerGone, false)
})

test('a pipeline of data that fails at its source leaves the output usable', async () => {
  const written: string[] = []
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString())
      done()
    },
  })
  const printer = new Printer(output)
  async function* source(): AsyncGenerator<Buffer> {
    yield Buffer.from('first')
    throw new Error('the source failed')
  }
  await assert.rejects(pipeline(Readable.from(source()), printer.data()), { message: 'the source failed' })
  printer.print('after')
  await printer.flush()
  assert.deepEqual(written, ['first', 'after'])
  assert.equal(printer.failure, undefined)
})

test('a slow reader is waited for', async () => {
  let release: (() => void) | undefined
  const output = new Writable({
    highWaterMark: 4,
    write(_chunk, _encoding, done) {
      release = () => done()
    },
  })
  const printer = new Printer(output)
  assert.equal(printer.room(), undefined)
  printer.print('more than four')
  const room = printer.room()
  assert.notEqual(room, undefined)
  release?.()
  await room
  assert.equal(printer.room(), undefined)
})
