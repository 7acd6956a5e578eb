import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  errorOf,
  exportFile,
  inMemory,
  PASSPHRASE,
  pieces,
  quick,
} from '../../../test/support/bilbycast-files.ts'
import { NotJson } from '../../rows/cells.ts'
import { openExport } from './export-file.ts'
import { readPayload } from './payload-read.ts'
import { partsOf, summarise } from './payload-summary.ts'

async function opened(payload: string | Buffer) {
  const file = await exportFile({ payload: Buffer.from(payload) })
  return openExport(inMemory(file), { passphrase: PASSPHRASE, stretch: quick })
}

const parts = (text: string | Buffer, size = 1 << 20) =>
  Array.fromAsync(readPayload(pieces(Buffer.from(text), size)))

describe('a payload', () => {
  it('comes back row by row, every digit and every blank of a value kept', async () => {
    const rows = [
      '{"id":9007199254740993,"n":1.10000000000000000001,"e":1e400,"j":{ "b":1, "a" : [] },"t":"\\u0041\\n"}',
    ]
    const file = await exportFile({ tables: { nodes: rows, empty: [] } })
    const open = await openExport(inMemory(file), { passphrase: PASSPHRASE, stretch: quick })
    const read = await Array.fromAsync(partsOf(open))
    const row = read.find((part) => part.kind === 'row')
    assert.deepEqual(row?.kind === 'row' && [...row.row.entries()], [
      ['id', '9007199254740993'],
      ['n', '1.10000000000000000001'],
      ['e', '1e400'],
      ['j', '{ "b":1, "a" : [] }'],
      ['t', '"\\u0041\\n"'],
    ])
    const summary = await summarise(open)
    assert.deepEqual(
      [...summary.tables.entries()],
      [
        ['nodes', { rows: 1, columns: ['id', 'n', 'e', 'j', 't'] }],
        ['empty', { rows: 0, columns: [] }],
      ],
    )
  })

  it('keeps what stands beside the rows', async () => {
    const fields = {
      secretColumns: [{ table: 'nodes', column: 'a_enc', domain: 'kek:tunnel' }],
      skippedSecrets: [{ table: 'nodes', column: 'a_enc', row: 'n1', reason: 'too-short' }],
      sequences: new Map([['events.id', { lastValue: '9007199254740993', isCalled: true }]]),
      keyCheck: '00',
    }
    const file = await exportFile({ fields })
    const open = await openExport(inMemory(file), { passphrase: PASSPHRASE, stretch: quick })
    const { tables: _tables, headerSha256, warnings, ...rest } = await summarise(open)
    assert.deepEqual(rest, fields)
    assert.equal(headerSha256, open.headerSha256)
    assert.deepEqual(warnings, [])
  })

  it('of a foreign writer may have its fields in any order, blanks, and unknown ones', async () => {
    const text =
      ' { "key_check" : null , "new":[1,{"x":"]}"}], "tables":{ "a" :[ {"x": "}\\\\" } , {"x":null}\n] }, "secret_columns":[] , "skipped_secrets":[{"table":"t","column":"c","row_id":7,"reason":"r"}] } '
    for (const size of [1, 2, 7, 1000]) {
      const read = await parts(text, size)
      assert.deepEqual(
        read.map((part) => (part.kind === 'row' ? [...part.row] : part.name)),
        ['key_check', 'new', 'a', [['x', '"}\\\\"']], [['x', 'null']], 'secret_columns', 'skipped_secrets'],
      )
    }
    const summary = await summarise(await opened(text))
    assert.deepEqual(summary.skippedSecrets, [{ table: 't', column: 'c', row: '7', reason: 'r' }])
  })

  it('is refused in words that do not quote it', async () => {
    const secret = 'hunter2'
    const broken = [
      '',
      'null',
      '[]',
      '{"tables":{}',
      '{"tables":{}}x',
      '{"tables":{},"tables":{}}',
      '{"tables":{"a":[],"a":[]},"secret_columns":[]}',
      '{"tables":{"a":[{}{}]}}',
      '{"tables":{"a":[1]}}',
      '{"tables":{"a":[[]]}}',
      '{"tables":{"a":{}}}',
      '{"tables":[]}',
      `{"tables":{"a":[{"x":"${secret}]}}`,
      `{"tables":{"a":[{"x":"${secret}","x":""}]},"secret_columns":[]}`,
      `{"tables":{"a":[{"x":${secret}}]}}`,
      '{"tables":{"a":[{"x":}]}}',
      '{"tables":{"a":[{"x":01}]}}',
      '{"tables":{"a":[{"x":+1}]}}',
      '{"tables":{"a":[{x:1}]}}',
      '{"tables":{"a":[,]}}',
      '{"tables":{}}',
      '{"secret_columns":[]}',
      '{"tables":{},"secret_columns":{}}',
      '{"tables":{},"secret_columns":[1]}',
      '{"tables":{},"secret_columns":[{"table":"t","column":"c"}]}',
      `{"tables":{},"secret_columns":[],"key_check":{"${secret}":1}}`,
      `{"tables":{},"secret_columns":["${secret}]}`,
      '{"tables":{},"secret_columns":[],"sequences":{"a.b":1}}',
      '{"tables":{},"secret_columns":[],"sequences":{"a.b":{"last_value":1.5,"is_called":true}}}',
      '{"tables":{},"secret_columns":[],"sequences":{"a.b":{"last_value":1,"is_called":1}}}',
      '{"tables":{},"secret_columns":[],"skipped_secrets":[{"table":"t","column":"c","reason":"r"}]}',
      `{"tables":{"a":[{"x":1},{"y":1}]},"secret_columns":[]}`,
      `{"tables":{"a":[{"x":1},{"x":1,"y":1}]},"secret_columns":[]}`,
    ]
    for (const text of broken) {
      const error = await errorOf(summarise(await opened(text)))
      assert.equal(error.code, 'FOREIGN_CONTENT_REFUSED', text)
      assert.ok(!error.message.includes(secret), error.message)
    }
    await assert.rejects(parts(Buffer.from([0x7b, 0x22, 0xff, 0x22])), NotJson)
  })

  it('nested beyond reason is refused, not followed', async () => {
    for (const deep of ['['.repeat(100_000), '{"a":'.repeat(100_000)])
      await assert.rejects(parts(`{"tables":{"a":[{"x":${deep}`), /nested more than 1000 deep/)
    const fine = `${'['.repeat(999)}${']'.repeat(999)}`
    assert.equal((await parts(`{"tables":{"a":[{"x":${fine}}]}}`)).length, 2)
  })

  it('with a value beyond the limit is refused before it is held', async () => {
    async function* endless() {
      yield Buffer.from('{"tables":{},"skipped_secrets":"')
      for (;;) yield Buffer.alloc(1 << 20, 'x')
    }
    await assert.rejects(Array.fromAsync(readPayload(endless())), /more than 67108864 bytes/)
  })

  it('closes what it reads from, also when nobody wants the rest', async () => {
    let closed = 0
    async function* source() {
      try {
        yield Buffer.from('{"tables":{"a":[{"x":1},{"x":2}')
        yield Buffer.from(']}}')
      } finally {
        closed++
      }
    }
    for await (const part of readPayload(source())) if (part.kind === 'row') break
    assert.equal(closed, 1)
    assert.equal((await Array.fromAsync(readPayload(source()))).length, 3)
    assert.equal(closed, 2)
  })
})
