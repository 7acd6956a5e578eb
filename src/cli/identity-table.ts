import type { Identity } from '../engine/report.ts'
import { printable } from './printable.ts'
import { day } from './quantity.ts'
import { table } from './table.ts'

/** Who must be enrolled again: how that was done, who holds the key, until when the certificate lasts. */
export function identityTable(identities: readonly Identity[]): string {
  const rows = identities.map(({ id, active, method, server_held, not_after }) => [
    `  ${printable(id)}`,
    active ? 'active' : 'off',
    printable(method ?? 'method unknown'),
    server_held ? 'key held by the server' : 'key held by the agent',
    not_after === null ? 'no certificate' : `until ${day(not_after)}`,
  ])
  return table([{ shrink: true }, {}, {}, {}, {}], rows)
}
