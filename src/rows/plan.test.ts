import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../../test/support/stored.ts'
import type { RowModel } from './model.ts'
import { planOf } from './plan.ts'
import type { LiveCatalog, LiveTable } from './store.ts'

function table(name: string, columns: readonly string[], parents: readonly string[] = []): LiveTable {
  return {
    name,
    columns: columns.map((column) => ({
      name: column.replace('!', ''),
      type: 'text',
      nullable: true,
      hasDefault: false,
      generated: column.endsWith('!'),
    })),
    primaryKey: columns.includes('id') ? ['id'] : [],
    uniqueKeys: [],
    references: parents.map((parent) => ({
      name: `${name}_${parent}`,
      columns: ['x'],
      table: parent,
      targetColumns: ['id'],
    })),
    owned: true,
  }
}

const catalog = (...tables: LiveTable[]): LiveCatalog => ({
  tables: new Map(tables.map((one) => [one.name, one])),
})
const model = (parts: Partial<RowModel>): RowModel => ({
  persisted: [],
  ephemeral: [],
  kept: [],
  secrets: [],
  ...parts,
})

test('parents come first, whatever the order of the model, which decides where there is a choice', () => {
  const live = catalog(
    table('flows', ['id'], ['groups', 'nodes']),
    table('groups', ['id'], ['nodes', 'groups']),
    table('nodes', ['id'], ['templates']),
    table('templates', ['id'], ['nodes']),
    table('zebra', ['id']),
    table('sessions', ['id'], ['nodes']),
  )
  const parts = model({
    persisted: ['zebra', 'flows', 'groups', 'nodes', 'templates'],
    ephemeral: ['sessions'],
  })
  const plan = planOf(parts, live)
  assert.deepEqual(
    plan.tables.map(({ name }) => name),
    ['zebra', 'templates', 'nodes', 'groups', 'flows'],
  )
  assert.deepEqual(plan.clearing, ['sessions', 'flows', 'groups', 'nodes', 'templates', 'zebra'])
})

test('every table without a class and every secret column without a domain is named, all at once', () => {
  const live = catalog(
    table('a', ['id', 'x_enc', 'y_enc']),
    table('new', ['id']),
    table('b', ['z_enc']),
    table('k', ['w_enc']),
  )
  const parts = model({
    persisted: ['a'],
    ephemeral: ['b', 'absent'],
    kept: ['k'],
    secretSuffix: '_enc',
    secrets: [
      { table: 'a', column: 'x_enc', domain: 'd' },
      { table: 'absent', column: 'q_enc', domain: 'd' },
    ],
  })
  assert.throws(() => planOf(parts, live), {
    code: 'ROWS_UNCLASSIFIED',
    data: { unclassified: ['table new', 'column a.y_enc', 'column b.z_enc'] },
  })
})

test('a key is that of the model, else the primary one, else all columns; what is computed does not move', () => {
  const live = catalog(table('a', ['id', 'n', 'c!']), table('b', ['n', 'm']), table('c', ['id', 'n']))
  const plan = planOf(model({ persisted: ['a', 'b', 'c'], keys: { c: ['n'] } }), live)
  assert.deepEqual(
    plan.tables.map(({ columns, key }) => [columns, key]),
    [
      [['id', 'n'], ['id']],
      [
        ['n', 'm'],
        ['n', 'm'],
      ],
      [['id', 'n'], ['n']],
    ],
  )
})

test('a model that contradicts itself or the database is refused', () => {
  const live = catalog(table('a', ['id', 's!']), table('k', ['id'], ['a']))
  for (const parts of [
    model({ persisted: ['a'], ephemeral: ['a'], kept: ['k'] }),
    model({ persisted: ['a'], kept: ['k'] }),
    model({ persisted: ['a', 'k'], secrets: [{ table: 'a', column: 's', domain: 'd' }] }),
    model({ persisted: ['a', 'k'], keys: { a: ['nothing'] } }),
  ])
    assert.throws(() => planOf(parts, live), hasCode('ROWS_MODEL_REFUSED'))
})
