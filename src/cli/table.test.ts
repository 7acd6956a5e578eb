import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cut, fields, table } from './table.ts'

test('columns are as wide as their widest cell, numbers to the right, nothing at the end of a line', () => {
  const columns = [{ title: 'NAME' }, { title: 'SIZE', align: 'right' }, { title: 'NOTE' }] as const
  const rows = [
    ['a', '1 B', ''],
    ['longer', '1023 B', 'x'],
  ]
  assert.equal(table(columns, rows), 'NAME      SIZE  NOTE\na          1 B\nlonger  1023 B  x')
})

test('colour does not count as width', () => {
  const painted = '\u001B[32mok\u001B[39m'
  assert.equal(
    table(
      [{}, {}],
      [
        [painted, 'x'],
        ['long', 'y'],
      ],
    ),
    `${painted}    x\nlong  y`,
  )
})

test('the shrinking column keeps both ends of a text that is too long for the line', () => {
  const line = table([{ shrink: true }, {}], [['abcdefghijklmnopqrstuvwxyz', 'end']], 20)
  assert.equal(line, 'abcdefg…tuvwxyz  end')
  assert.equal(line.length, 20)
  assert.equal(cut('short', 10), 'short')
})

test('fields have their names in one column', () => {
  assert.equal(
    fields([
      ['id', '1'],
      ['archive', 'x'],
    ]),
    '  id       1\n  archive  x',
  )
})
