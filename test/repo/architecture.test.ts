import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

const root = path.resolve(import.meta.dirname, '../..')
const src = path.join(root, 'src')

/** The leaf vocabulary: files that import nothing of ours and that every layer may use. */
const leaves = [
  'errors.ts',
  'error-table.ts',
  'error-table-archives.ts',
  'secret.ts',
  'member.ts',
  'manifest.ts',
]

/** What a profile is made of, for those that use one. */
const profileInterfaces = [
  'profile',
  'examination',
  'arrangement',
  'live',
  'response',
  'foreign',
  'controls',
  'proposal',
].map((name) => `profiles/${name}.ts`)

/** What each folder may import of ours, beside the leaves and itself (docs/design.md, Layers). */
const may: Record<string, readonly string[]> = {
  archive: [],
  formats: [
    'archive/byte-reader.ts',
    'archive/member-path.ts',
    'archive/member-set.ts',
    'archive/pax.ts',
    'archive/tar.ts',
  ],
  sources: [],
  rows: [],
  targets: ['sources/process.ts'],
  catalog: [],
  profiles: [
    'sources/source.ts',
    'rows/keyring.ts',
    'rows/model.ts',
    'rows/store.ts',
    'rows/cells.ts',
    'rows/json-reader.ts',
    'rows/plan.ts',
    'rows/row-text.ts',
    'rows/row-archive.ts',
    'rows/transfer-export.ts',
    'rows/transfer-import.ts',
    'rows/fit.ts',
  ],
  engine: [
    'archive/index.ts',
    'catalog',
    'sources/source.ts',
    'targets/target.ts',
    'formats/format.ts',
    ...profileInterfaces,
  ],
  config: [],
  cli: ['engine', 'config', 'archive/index.ts'],
}

/** Which packages and Node modules a folder may import; a folder that is not named here may import no package. */
const packages: Record<string, RegExp> = {
  archive: /^node:(crypto|zlib|stream|util|worker_threads|buffer|events|timers|os)/,
  formats: /^node:(crypto|zlib|stream|timers)/,
  sources: /^(node:.*|zod|picomatch)$/,
  // `pg` is loaded by rows/postgres-driver.ts when it is first needed, with the types that are used of it.
  rows: /^node:(crypto|module|stream|sqlite|util)/,
  targets: /^(node:(?!child_process).*|zod|@aws-sdk\/client-s3)$/,
  catalog: /^node:/,
  profiles: /^node:(?!child_process)/,
  engine: /^node:(fs|path|stream|crypto|util|os|timers|events)/,
  config: /^(node:.*|zod|yaml)$/,
  cli: /^(node:.*|commander)$/,
}

/** Programs of their own, started and not imported: the only files beside main.ts that do something when loaded. */
const programs = new Set([
  'main.ts',
  'sources/lifeline.ts',
  'sources/sqlite-child.ts',
  'archive/chunk-worker.ts',
])

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name))
}

interface Import {
  readonly from: string
  readonly to: string
  readonly text: string
}

const pattern =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*'([^']+)'|(?:^|\n)import\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(pattern)].map((match) => {
    const to = match[1] ?? match[2] ?? match[3] ?? ''
    return { from: path.relative(src, file), to, text: match[0].trim() }
  })
}

const sources = filesBelow(src)
const shipped = sources.filter((file) => !file.endsWith('.test.ts'))
const imports = shipped.flatMap(importsOf)
const ours = imports.filter(({ to }) => to.startsWith('.'))
const resolved = ours.map(({ from, to, text }) => ({ from, text, to: path.join(path.dirname(from), to) }))

test('every folder imports only the layers below it', () => {
  const broken = resolved.filter(({ from, to }) => {
    const [folder = ''] = from.split('/')
    if (!from.includes('/') || to.startsWith(`${folder}/`) || leaves.includes(to)) return false
    return !(may[folder] ?? []).some((allowed) => to === allowed || to.startsWith(`${allowed}/`))
  })
  assert.deepEqual(broken, [])
  assert.ok(resolved.length > 50, 'the scan sees the imports')
})

test('the leaf files import nothing of ours but each other', () => {
  assert.deepEqual(
    resolved.filter(({ from, to }) => leaves.includes(from) && !leaves.includes(to)),
    [],
  )
})

test('a folder uses only its own packages, and one file starts processes', () => {
  const foreign = imports.filter(({ to }) => !to.startsWith('.'))
  const broken = foreign.filter(({ from, to }) => {
    const [folder = ''] = from.split('/')
    return from.includes('/') && !(packages[folder] ?? /^$/).test(to)
  })
  assert.deepEqual(broken, [])
  const spawning = foreign.filter(({ to }) => to === 'node:child_process').map(({ from }) => from)
  assert.deepEqual([...new Set(spawning)], ['sources/process.ts'])
})

test('there is no ring of imports, types included', () => {
  const next = new Map<string, string[]>()
  for (const { from, to } of resolved) next.set(from, [...(next.get(from) ?? []), to])
  const done = new Set<string>()
  const walk = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file))
      assert.fail(`a ring: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`)
    if (done.has(file)) return
    for (const to of next.get(file) ?? []) walk(to, [...trail, file])
    done.add(file)
  }
  for (const file of next.keys()) walk(file, [])
})

test('a type is imported as a type, so that the module behind it is not run', () => {
  const onlyTypes = /\{\s*(type\s+\w+(\s+as\s+\w+)?\s*,?\s*)+\}/
  const mixed = imports.filter(({ text }) => onlyTypes.test(text))
  assert.deepEqual(mixed, [])
})

test('nothing is done when a file is imported', () => {
  const declaration =
    /^(import|export|const|type|interface|function|async function|class|abstract class|declare|\/\/|\/\*| \*|[})\]>]|$|\s)/
  const work =
    /^(export )?const .*(readFile|process\.(env|argv)|Date\.now|new Date\(|\bawait\b|spawn|randomBytes|openSync)/
  for (const file of shipped) {
    const name = path.relative(src, file)
    if (programs.has(name)) continue
    const text = readFileSync(file, 'utf8').replaceAll(/`(?:[^`\\]|\\.)*`/g, (literal) =>
      literal.replaceAll(/[^\n]+/g, ' '),
    )
    const lines = text.split('\n')
    for (const [index, line] of lines.entries()) {
      assert.match(line, declaration, `${name}:${index + 1} runs when the file is imported`)
      assert.doesNotMatch(line, work, `${name}:${index + 1} works when the file is imported`)
    }
  }
})

test('the engine takes time, randomness, environment and output from its context', () => {
  const forbidden = /\b(Date\.now|new Date\(\)|Math\.random|process\.|console\.|randomBytes|randomUUID)/
  for (const file of shipped.filter((name) => path.relative(src, name).startsWith('engine/'))) {
    const text = readFileSync(file, 'utf8')
    assert.doesNotMatch(text, forbidden, path.relative(src, file))
  }
})

test('files stay small, and their names say one thing', () => {
  for (const file of sources) {
    const lines = readFileSync(file, 'utf8').split('\n').length
    const name = path.basename(file)
    const isLong = name.endsWith('.test.ts') || name === 'error-table.ts'
    assert.ok(lines <= (isLong ? 600 : 400), `${path.relative(src, file)} has ${lines} lines`)
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/)
    assert.doesNotMatch(name, /^(utils?|helpers?|common|manager|types|interfaces|lib)\b/)
  }
})

test('only the two front doors re-export', () => {
  const barrels = shipped
    .filter((file) => path.basename(file) === 'index.ts')
    .map((file) => path.relative(src, file))
  for (const barrel of barrels) assert.ok(['archive/index.ts', 'index.ts'].includes(barrel), barrel)
})
