import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** The folder that the demo works in: a temporary one, or the one that `--keep` names. */
export interface Place extends Disposable {
  readonly folder: string
  /** What was made here stays when the place is disposed. */
  keep(): void
}

/** Throws where the folder to keep is there already and is not empty. */
export function enterPlace(kept: string | undefined): Place {
  let staying = false
  const folder = kept === undefined ? mkdtempSync(path.join(tmpdir(), 'sealift-demo-')) : emptyFolder(kept)
  return {
    folder,
    keep: () => (staying = true),
    [Symbol.dispose]() {
      if (staying) return
      if (kept === undefined) rmSync(folder, { recursive: true, force: true })
      else for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true })
    },
  }
}

function emptyFolder(named: string): string {
  const folder = path.resolve(named)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const [name] = readdirSync(folder)
  if (name === undefined) return folder
  throw new Error(`${folder} is not empty (it holds ${name}): --keep wants an empty or a new folder`)
}
