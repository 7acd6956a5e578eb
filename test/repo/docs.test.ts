import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { describe } from '../../src/cli/completion-tree.ts'
import { exitCodes, signalCodes } from '../../src/cli/exit.ts'
import { program } from '../../src/cli/program.ts'
import { Session } from '../../src/cli/session.ts'
import { errorTable } from '../../src/errors.ts'
import { commandWorld } from '../support/command-world.ts'

const root = path.resolve(import.meta.dirname, '../..')
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8')

/** The cells of each row of every table in a text, without the rows of titles and lines. */
function rows(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line, at, all) => line.startsWith('|') && !isRule(line) && !isRule(all[at + 1] ?? ''))
    .map((line) => line.slice(1, -1).split(/(?<!\\)\|/))
    .map((cells) => cells.map((cell) => cell.trim()))
}

function isRule(line: string): boolean {
  return /^\|[-| ]+\|$/.test(line)
}

function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
}

/** The same words in any order, each as often. */
function sameWords(
  actual: readonly (string | number | undefined)[],
  expected: readonly (string | number | undefined)[],
): void {
  const sorted = (words: typeof actual): string[] => words.map(String).sort((a, b) => (a < b ? -1 : 1))
  assert.deepEqual(sorted(actual), sorted(expected))
}

const cli = read('docs/cli.md')
const commands = describe(program(new Session(commandWorld())))
  .filter(({ path: words }) => words.length > 0)
  .filter(({ path: words }, _, all) => !all.some((other) => isUnder(other.path, words)))

function isUnder(path: readonly string[], parent: readonly string[]): boolean {
  return path.length > parent.length && parent.every((word, at) => path[at] === word)
}

/** `backup` → what docs/cli.md says under its heading. */
const sections = new Map(
  cli
    .split(/^### sealift /m)
    .slice(1)
    .map((section): [string, string] => {
      const heading = section.slice(0, section.indexOf('\n'))
      const name = heading
        .split(' ')
        .filter((word) => /^[a-z]+$/.test(word))
        .join(' ')
      return [name, section.split(/^## /m)[0] ?? '']
    }),
)

test('docs/cli.md has every command, and no other', () => {
  const known = commands.map(({ path: words }) => words.join(' '))
  sameWords([...sections.keys()], known)
})

for (const { path: words, options } of commands) {
  const name = words.join(' ')
  test(`docs/cli.md has every option of sealift ${name}, and no other`, () => {
    const documented = rows(sections.get(name) ?? '').flatMap(([first = '']) =>
      codes(first).map((code) => code.split(' ')[0]),
    )
    const known = options.flatMap(({ flags }) => flags).filter((flag) => !['-h', '--help'].includes(flag))
    sameWords(documented, known)
  })
}

test('docs/cli.md has every exit code, and no other', () => {
  const section = cli.split('### Exit codes')[1]?.split('### ')[0] ?? ''
  const documented = rows(section).flatMap(([first = '']) => first.split(', ').map(Number))
  const known = [...Object.values(exitCodes), ...Object.values(signalCodes)]
  sameWords(documented, known)
})

test('docs/cli.md has every phase and event, and no other', () => {
  const events = read('src/engine/events.ts')
  const json = cli.split('## JSON')[1] ?? ''
  const phase = rows(json).find(([first]) => first === '`phase`')?.[1] ?? ''
  const known = [...(events.split('type Phase =')[1] ?? '').matchAll(/'([a-z]+)'/g)].map((match) => match[1])
  assert.deepEqual(
    codes(phase.split('(')[1] ?? '').filter((code) => code !== 'label'),
    known,
  )
  const types = [...events.matchAll(/readonly type: '([a-z]+)'/g)].map((match) => match[1])
  const table = json.split('The report:')[0] ?? ''
  const documented = rows(table).flatMap(([first = '']) => codes(first))
  sameWords(documented, [...types, 'member', 'report'])
})

test('docs/errors.md has every code with its kind and exit code, and no other', () => {
  const documented = rows(read('docs/errors.md'))
    .filter((cells) => cells.length === 5)
    .map(([code = '', kind, exit]) => `${codes(code)[0] ?? ''} ${kind} ${exit}`)
  const known = Object.entries(errorTable).map(([code, { kind }]) => `${code} ${kind} ${exitCodes[kind]}`)
  sameWords(documented, known)
})

test('docs/errors.md says of every code what it means and what to do', () => {
  for (const [code = '', , , meaning = '', todo = ''] of rows(read('docs/errors.md')).filter(
    (r) => r.length === 5,
  )) {
    assert.ok(meaning.length > 20 && todo.length > 10, code)
  }
})

test('docs/errors.md maps the kinds as the command line does', () => {
  const kinds = rows(read('docs/errors.md')).filter((cells) => cells.length === 3)
  const documented = kinds.map(([kind = '', exit]) => `${codes(kind)[0] ?? ''} ${exit}`)
  const { ok, attention, ...known } = exitCodes
  assert.deepEqual([ok, attention], [0, 1])
  sameWords(
    documented,
    Object.entries(known).map(([kind, exit]) => `${kind} ${exit}`),
  )
})

test('every hint that names an option names one that exists', () => {
  const known = new Set(commands.flatMap(({ options }) => options.flatMap(({ flags }) => flags)))
  for (const [code, { hint = '' }] of Object.entries(errorTable)) {
    for (const [flag] of hint.matchAll(/--[a-z-]+/g)) assert.ok(known.has(flag), `${code}: ${flag}`)
  }
})
