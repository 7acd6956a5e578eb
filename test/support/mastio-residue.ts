import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStream } from '../../src/archive/index.ts'
import { reasonOf } from '../../src/errors.ts'
import { Secret } from '../../src/secret.ts'
import type { Installation } from './mastio-installation.ts'

/** Every file below a folder, relative to it; none where it is not there. */
export function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted()
}

/** What the application itself keeps in its bundle: the only places where its secrets may be read. */
const own =
  /^bundle\/(.*\/)?(data\/mcp_proxy\.db(-wal|-shm)?|nginx-certs\/mastio-server\.key|saml-keys\/saml\.key|proxy\.env)$/

/** Files of the machine, outside the application's own, in which a planted secret stands in the clear. */
export function plaintextIn({ folder, bundle }: Installation, allowed: RegExp = own): string[] {
  const needles = bundle.secrets.map((secret) => Buffer.from(secret))
  return filesIn(folder)
    .filter((name) => !allowed.test(name) && !name.startsWith('stubs/'))
    .filter((name) => {
      const content = readFileSync(join(folder, name))
      return needles.some((needle) => content.includes(needle))
    })
}

/** The archives that are visible, each read to its last tag. Throws for one that is not whole. */
export async function visibleArchives(at: Installation): Promise<string[]> {
  const names = filesIn(at.join('archives')).filter((name) => !name.startsWith('.'))
  const passphrase = new Secret(readFileSync(at.join('pass'), 'utf8').trimEnd())
  for (const name of names) {
    try {
      const keys = [{ type: 'passphrase', passphrase }] as const
      await using stream = await openStream(createReadStream(at.join('archives', name)), keys, { name })
      let members = 0
      for await (const _ of stream.members()) members++
      if (members < 10) throw new Error(`it has ${members} members`)
    } catch (error) {
      throw new Error(`${name} is visible and not whole: ${reasonOf(error)}`, { cause: error })
    }
  }
  return names
}
