import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStream } from '../../src/archive/index.ts'
import { reasonOf } from '../../src/errors.ts'
import { Secret } from '../../src/secret.ts'
import type { World } from './journey-world.ts'
import { marker, places } from './journey-world.ts'

/** What may be in a world beside its application, when no run is under way. */
const furniture = new Set<string>([
  ...places,
  'key',
  'pass',
  'sealift.yaml',
  'strace.log',
  'state',
  'archives',
  'second',
  'out',
  'newpass',
])
const stateFiles =
  /^(catalog\.db|catalog\.db\.lock|status\/notes\.json|evidence\/notes\.(jsonl|lock)|locks\/[a-z-]+\.lock|locks\/sealift-extract\.holder\.json(\.part)?)$/
const archiveName = /^notes-\d{8}T\d{6}Z(-\d+)?\.sealift$/
const dated = /^pre-restore-\d{8}T\d{6}Z(-\d+)?$/

/** Everything that a run left behind which is neither application, archive, set-aside state nor Sealift's own state. */
export function residueOf(world: World): string[] {
  const left = readdirSync(world.folder).filter((name) => !furniture.has(name) && !dated.test(name))
  for (const place of ['app', 'certs', 'out'])
    left.push(
      ...filesIn(world.join(place))
        .filter((name) => /\.sealift-restore-|\.part$/.test(name))
        .map((name) => `${place}/${name}`),
    )
  left.push(
    ...filesIn(world.join('state'))
      .filter((name) => !stateFiles.test(name))
      .map((name) => `state/${name}`),
  )
  const scratch = foldersIn(world.join('state', 'scratch')).filter((name) => name !== 'sealift-extract')
  left.push(...scratch.map((name) => `state/scratch/${name}`))
  for (const target of ['archives', 'second']) {
    left.push(
      ...filesIn(world.join(target))
        .filter((name) => !archiveName.test(name))
        .map((name) => `${target}/${name}`),
    )
  }
  return left
}

/** Files outside the application and its set-aside states that hold its plaintext. */
export function plaintextIn(world: World): string[] {
  const needle = Buffer.from(marker)
  return ['state', 'archives', 'second'].flatMap((folder) =>
    filesIn(world.join(folder))
      .filter((name) => readFileSync(world.join(folder, name)).includes(needle))
      .map((name) => `${folder}/${name}`),
  )
}

/** The archives that are visible, each read to its last tag. Throws for one that is not whole. */
export async function wholeArchives(world: World, folder = 'archives'): Promise<string[]> {
  const names = filesIn(world.join(folder)).filter(
    (name) => name.endsWith('.sealift') && !name.startsWith('.'),
  )
  const secret = /SEALIFT-SECRET-V1:[\w-]+/.exec(readFileSync(world.join('key'), 'utf8'))?.[0] ?? ''
  for (const name of names) {
    try {
      const keys = [{ type: 'secret', secret: new Secret(secret) }] as const
      await using stream = await openStream(createReadStream(world.join(folder, name)), keys, { name })
      let members = 0
      for await (const _ of stream.members()) members++
      if (members < 5) throw new Error(`it has ${members} members`)
    } catch (error) {
      throw new Error(`${name} is visible and not whole: ${reasonOf(error)}`, { cause: error })
    }
  }
  return names.toSorted()
}

function filesIn(folder: string): string[] {
  return entriesIn(folder, false)
}

function foldersIn(folder: string): string[] {
  return entriesIn(folder, true)
}

function entriesIn(folder: string, folders: boolean): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isDirectory() === folders)
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}
