import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Everything below a folder as lines, times of folders and inodes of hard links included: what `cp -a` would keep. */
export function treeOf(folder: string): string[] {
  const names = new Map<string, string>()
  const lines: string[] = []
  const look = (name: string): void => {
    const path = join(folder, name)
    const stat = lstatSync(path)
    const shown = JSON.stringify(name)
    const what = `${shown} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${Math.floor(stat.mtimeMs)}`
    if (stat.isDirectory()) {
      lines.push(what)
      for (const entry of readdirSync(path).toSorted()) look(join(name, entry))
    } else if (stat.isSymbolicLink()) lines.push(`${what} -> ${readlinkSync(path)}`)
    else if (stat.isFile()) {
      const first = names.get(`${stat.dev}:${stat.ino}`)
      names.set(`${stat.dev}:${stat.ino}`, shown)
      lines.push(
        first === undefined ? `${what} ${readFileSync(path, 'base64').slice(0, 400)}` : `${what} = ${first}`,
      )
    } else lines.push(`${what} special`)
  }
  look('.')
  return lines
}
