/**
 * A process of its own that exports or imports an application, and tells how far it is, a line for each table, and on
 * its last line what it needed. Arguments: `export` or `import`, the address as JSON, the file, and for one that is to be
 * killed `hold`: it then never commits.
 */
import { randomBytes } from 'node:crypto'
import { createWriteStream, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { openExport } from '../../src/profiles/bilbycast/export-file.ts'
import { writeRowExport } from '../../src/profiles/bilbycast/export-rows.ts'
import { bilbycastKeyring } from '../../src/profiles/bilbycast/keyring.ts'
import { exportRowArchive } from '../../src/profiles/bilbycast/payload-rows.ts'
import { summarise } from '../../src/profiles/bilbycast/payload-summary.ts'
import { bilbycastModel } from '../../src/profiles/bilbycast/tables.ts'
import type { PostgresAddress } from '../../src/rows/postgres-driver.ts'
import { postgresStore } from '../../src/rows/postgres.ts'
import { exportRows } from '../../src/rows/transfer-export.ts'
import { importRows } from '../../src/rows/transfer-import.ts'
import { HEADER, NONCE, PASSPHRASE, quick } from './bilbycast-files.ts'
import { MASTER_A, MASTER_B } from './bilbycast-keys.ts'

const [what = '', address = '{}', path = '', hold] = process.argv.slice(2)
const store = postgresStore({ address: JSON.parse(address) as PostgresAddress })
const model = bilbycastModel()
const { signal } = new AbortController()
// At once, also when nothing else gets a turn before the end.
const tell = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`)

if (what === 'export') {
  await using snapshot = await store.snapshot(signal)
  const rows = await exportRows({ snapshot, model, keyring: bilbycastKeyring(MASTER_A, randomBytes) })
  const seal = { header: HEADER, nonce: NONCE, passphrase: PASSPHRASE, stretch: quick }
  await pipeline(writeRowExport(rows, seal), createWriteStream(path))
} else {
  await using handle = await open(path)
  const file = {
    size: (await handle.stat()).size,
    read: async (offset: number, length: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, offset)
      return buffer.subarray(0, bytesRead)
    },
  }
  const opened = await openExport(file, { passphrase: PASSPHRASE, stretch: quick })
  const archive = exportRowArchive(opened, await summarise(opened))
  await using transaction = await store.transaction(signal)
  await importRows({
    transaction,
    archive: {
      summary: archive.summary,
      async *tables() {
        for await (const table of archive.tables()) {
          tell({ at: table.name })
          yield table
        }
        tell({ at: 'the end' })
      },
    },
    model,
    keyring: bilbycastKeyring(MASTER_B, randomBytes),
    mode: 'replace',
    release: 'same',
    after: async () => {
      tell({ at: 'the commit' })
      if (hold === 'hold') await sleep(600_000)
    },
  })
}
tell({ peak: process.resourceUsage().maxRSS >> 10 })
