import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  errorOf,
  exportFile,
  gather,
  HEADER,
  inMemory,
  NONCE,
  PASSPHRASE,
  quick,
  SALT,
  withHeader,
} from '../../../test/support/bilbycast-files.ts'
import { vectors } from '../../../test/support/bilbycast-keys.ts'
import { Secret } from '../../secret.ts'
import { openExport, readExportHeader } from './export-file.ts'
import { summarise } from './payload-summary.ts'
import { argon2id, FIXED_COST } from './stretch.ts'

const file = await exportFile()
const open = (bytes: Buffer, passphrase = PASSPHRASE, stretch = quick) =>
  openExport(inMemory(bytes), { passphrase, stretch, name: 'b.bcbkv2' })
const refusal = async (bytes: Buffer) => errorOf(open(bytes).then(summarise))

describe('a BCBKv2 file', () => {
  it('has the key of the known answers', async () => {
    const { passphrase, salt_hex, key_hex } = vectors.argon2id
    const key = await argon2id(Buffer.from(passphrase), Buffer.from(salt_hex, 'hex'), FIXED_COST)
    assert.equal(key.toString('hex'), key_hex)
  })

  it('has the bytes that the format lays down', () => {
    const json = `{"format_version":2,"created_at":"2026-04-27T00:00:00Z","exporter":"cli-export","kdf":{"alg":"argon2id","v":19,"m_kib":65536,"t":3,"p":1,"salt":"AAECAwQFBgcICQoLDA0ODw=="},"schema_version":12}`
    const length = Buffer.from([json.length, 0, 0, 0])
    const head = Buffer.concat([Buffer.from('4243424b76320a00', 'hex'), length, Buffer.from(json)])
    assert.deepEqual(file.subarray(0, head.length), head)
    assert.deepEqual(file.subarray(head.length, head.length + 12), NONCE)
    const hash = createHash('sha256').update(head).digest('hex')
    const payload = `{"tables":{"users":[{"id":"u1"}]},"secret_columns":[],"skipped_secrets":[],"sequences":{},"header_sha256":"${hash}"}`
    assert.equal(file.length, head.length + 12 + payload.length + 16)
  })

  it('opens to what was written, again and again', async () => {
    const opened = await open(file)
    const { cost, ...header } = opened.header
    assert.deepEqual({ ...header }, { ...HEADER, salt: SALT })
    assert.deepEqual(cost, FIXED_COST)
    const [one, other] = [await gather(opened.payload()), await gather(opened.payload())]
    assert.deepEqual(one, other)
    assert.ok(one.toString().startsWith('{"tables":{"users":[{"id":"u1"}]}'))
    assert.deepEqual((await summarise(opened)).warnings, [])
  })

  it('tells its header without a passphrase', async () => {
    assert.equal((await readExportHeader(inMemory(file))).schemaVersion, '12')
  })

  it('opens with a passphrase in another normal form, and with the raw bytes of a foreign writer', async () => {
    const [composed, decomposed] = ['p\u00e9ch\u00e9 p\u00e9ch\u00e9', 'pe\u0301che\u0301 pe\u0301che\u0301']
    const ours = await exportFile({ passphrase: new Secret(`${decomposed} long`) })
    assert.ok(await open(ours, new Secret(`${composed} long`)))
    const raw = await exportFile({ stretch: (_, salt, cost) => quick(Buffer.from(decomposed), salt, cost) })
    assert.ok(await open(raw, new Secret(decomposed)))
    assert.equal((await errorOf(open(raw, new Secret(composed)))).code, 'FOREIGN_NOT_OPENED')
  })

  it('is not written with fewer than 12 characters after normalisation', async () => {
    for (const short of ['elevenchars', 'e\u0301'.repeat(11), '🐎'.repeat(11)])
      assert.equal(
        (await errorOf(exportFile({ passphrase: new Secret(short) }))).code,
        'PASSPHRASE_TOO_SHORT',
      )
    assert.ok(await exportFile({ passphrase: new Secret('🐎'.repeat(12)) }))
  })

  it('takes a short passphrase for reading', async () => {
    const short = await exportFile({ stretch: (_, salt, cost) => quick(Buffer.from('x'), salt, cost) })
    assert.ok(await open(short, new Secret('x')))
  })

  it('is refused with any byte changed', async () => {
    const codes = new Set<string>()
    for (let at = 0; at < file.length; at++) {
      const changed = Buffer.from(file)
      changed[at] = (changed[at] ?? 0) ^ 0x01
      codes.add((await refusal(changed)).code)
    }
    assert.deepEqual([...codes].sort(), [
      'FOREIGN_CUT',
      'FOREIGN_HEADER_CHANGED',
      'FOREIGN_HEADER_REFUSED',
      'FOREIGN_NOT_OPENED',
      'FOREIGN_NOT_RECOGNISED',
    ])
  })

  it('is refused cut at any length, and with a byte more', async () => {
    assert.equal((await refusal(Buffer.alloc(0))).code, 'FOREIGN_NOT_RECOGNISED')
    const smallest = 40 + file.readUInt32LE(8)
    for (let length = 1; length < file.length; length++)
      assert.equal(
        (await refusal(file.subarray(0, length))).code,
        length < smallest ? 'FOREIGN_CUT' : 'FOREIGN_NOT_OPENED',
        `${length}`,
      )
    assert.equal((await refusal(Buffer.concat([file, Buffer.alloc(1)]))).code, 'FOREIGN_NOT_OPENED')
  })

  it('says that a header was not authenticated, and still opens', async () => {
    const foreign = await exportFile({ payload: Buffer.from('{"secret_columns":[],"tables":{}}') })
    const changed = withHeader(foreign, (json) => json.replace('cli-export', 'somebody'))
    assert.deepEqual((await summarise(await open(changed))).warnings, ['header-not-authenticated'])
  })

  it('whose sealed checksum is another one is refused', async () => {
    const other = withHeader(file, (json) => json.replace('cli-export', 'somebody'))
    const error = await refusal(other)
    assert.equal(error.code, 'FOREIGN_HEADER_CHANGED')
    assert.match(error.message, /b\.bcbkv2/)
  })
})

describe('the header of a BCBKv2 file is refused, naming the field,', () => {
  const replacing = (from: string, to: string) => (json: string) => json.replace(from, to)
  const cases: readonly [string, (json: string) => string | Buffer, string][] = [
    ['of another version', replacing('_version":2', '_version":3'), 'format_version'],
    ['of a version in quotes', replacing('_version":2', '_version":"2"'), 'format_version'],
    ['without a version', replacing('"format_version":2,', ''), 'format_version'],
    ['with a key twice', replacing('"exporter"', '"exporter":"x","exporter"'), 'header'],
    ['with a key twice in the kdf', replacing('"t":3', '"t":3,"t":3'), 'kdf'],
    ['with bytes after the JSON', (json) => `${json}x`, 'header'],
    ['with a zero byte after the JSON', (json) => `${json}\0`, 'header'],
    ['that is a list', () => '[]', 'header'],
    ['that is no JSON', () => '{"format_version":2', 'header'],
    ['that is not UTF-8', (json) => Buffer.concat([Buffer.from([0xff]), Buffer.from(json)]), 'header'],
    ['with a byte order mark', (json) => `\uFEFF${json}`, 'header'],
    ['with no time', replacing('2026-04-27T00:00:00Z', 'yesterday'), 'created_at'],
    ['without exporter', replacing('"exporter":"cli-export",', ''), 'exporter'],
    ['with a number as exporter', replacing('"cli-export"', '7'), 'exporter'],
    ['with another kdf', replacing('argon2id', 'argon2i'), 'kdf.alg'],
    ['with another version of Argon2', replacing('"v":19', '"v":16'), 'kdf.v'],
    ['with too little memory', replacing('65536', '65535'), 'kdf.m_kib'],
    ['with too much memory', replacing('65536', '1048577'), 'kdf.m_kib'],
    ['with 4 GiB of memory', replacing('65536', '4194304'), 'kdf.m_kib'],
    ['with memory beyond all numbers', replacing('65536', '9'.repeat(400)), 'kdf.m_kib'],
    ['with memory as a fraction', replacing('65536', '65536.5'), 'kdf.m_kib'],
    ['with memory in exponents', replacing('65536', '1e5'), 'kdf.m_kib'],
    ['with memory below nothing', replacing('65536', '-65536'), 'kdf.m_kib'],
    ['with too few passes', replacing('"t":3', '"t":2'), 'kdf.t'],
    ['with too many passes', replacing('"t":3', '"t":17'), 'kdf.t'],
    ['without a lane', replacing('"p":1', '"p":0'), 'kdf.p'],
    ['with too many lanes', replacing('"p":1', '"p":9'), 'kdf.p'],
    ['with null for a cost', replacing('"p":1', '"p":null'), 'kdf.p'],
    ['without salt', replacing(',"salt":"AAECAwQFBgcICQoLDA0ODw=="', ''), 'kdf.salt'],
    ['with a short salt', replacing('AAECAwQFBgcICQoLDA0ODw==', 'AAECAwQFBgcICQoLDA0O'), 'kdf.salt'],
    ['with a long salt', replacing('AAECAwQFBgcICQoLDA0ODw==', 'A'.repeat(88)), 'kdf.salt'],
    ['with a salt without padding', replacing('DA0ODw==', 'DA0ODw'), 'kdf.salt'],
    ['with a salt in URL letters', replacing('AAECAwQF', '-_ECAwQF'), 'kdf.salt'],
    ['without kdf', replacing('"kdf"', '"kdf_"'), 'kdf'],
    ['with a negative schema', replacing(':12}', ':-1}'), 'schema_version'],
    ['with a schema in quotes', replacing(':12}', ':"12"}'), 'schema_version'],
    ['without schema', replacing(',"schema_version":12', ''), 'schema_version'],
  ]
  for (const [what, change, field] of cases) {
    it(what, async () => {
      const error = await errorOf(
        openExport(inMemory(withHeader(file, change)), {
          passphrase: PASSPHRASE,
          stretch: () => assert.fail('nothing may be stretched before the limits are checked'),
        }),
      )
      assert.equal(error.code, 'FOREIGN_HEADER_REFUSED')
      assert.equal('field' in error.data && error.data.field, field)
    })
  }

  it('before anything is allocated for a length that lies', async () => {
    for (const length of [0, 1, 65_537, 2 ** 31, 2 ** 32 - 1]) {
      const lying = Buffer.concat([file, Buffer.alloc(100_000)])
      lying.writeUInt32LE(length, 8)
      const read = inMemory(lying)
      const error = await errorOf(openExport(read, { passphrase: PASSPHRASE, stretch: quick }))
      assert.deepEqual(
        [error.code, 'field' in error.data && error.data.field],
        ['FOREIGN_HEADER_REFUSED', 'header_len'],
      )
      assert.equal(read.taken(), 12)
    }
  })
})

describe('the header of a BCBKv2 file is taken', () => {
  it('with unknown keys, other costs within the limits, a salt of 64 bytes, and costs left out', async () => {
    const long = Buffer.alloc(64, 7).toString('base64')
    const changes: readonly [(json: string) => string, object][] = [
      [
        (json) => json.replace('"t":3', '"t":16,"new":{"t":[1]}').replace('"p":1', '"p":8'),
        { passes: 16, lanes: 8 },
      ],
      [(json) => json.replace('65536', '1048576'), { memoryKib: 1_048_576 }],
      [(json) => json.replace('"m_kib":65536,"t":3,"p":1,', '').replace('"alg":"argon2id","v":19,', ''), {}],
      [(json) => json.replace('AAECAwQFBgcICQoLDA0ODw==', long), {}],
      [(json) => json.replaceAll(',', ' ,\n '), {}],
      [(json) => json.replace('00:00:00Z', '00:00:00.123456789+02:00'), {}],
    ]
    for (const [change, cost] of changes) {
      const header = await readExportHeader(inMemory(withHeader(file, change)))
      assert.deepEqual(header.cost, { ...FIXED_COST, ...cost })
    }
  })
})
