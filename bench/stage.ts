import { mkdirSync, rmSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Contestant } from './contestant.ts'
import { runScript } from './script.ts'
import type { Surroundings } from './script.ts'

/** One contestant on its own empty folder, prepared; all that it made is removed when it is disposed. */
export class Stage implements AsyncDisposable {
  readonly around: Surroundings
  readonly #contestant: Contestant

  private constructor(contestant: Contestant, around: Surroundings) {
    this.#contestant = contestant
    this.around = around
  }

  /** Reads the data once, so that it is as much in the page cache for one contestant as for the next. */
  static async enter(contestant: Contestant, { cwd, env, signal }: Surroundings): Promise<Stage> {
    const work = path.join(cwd, 'work')
    mkdirSync(work)
    const stage = new Stage(contestant, { cwd: work, env: { ...env, OUT: path.join(work, 'out') }, signal })
    if (contestant.prepare !== undefined) await stage.run(contestant.prepare)
    await stage.run('tar -C "$DATA_PARENT" -cf - data | cat > /dev/null; sync')
    return stage
  }

  /** Runs a script here, and returns the seconds that it took. */
  async run(script: string, watch?: (pid: number) => void): Promise<number> {
    return runScript(script, this.around, watch)
  }

  /** The seconds of its restore into an empty folder. Before it, all that was written is on disk. */
  async restore(script: string, watch?: (pid: number) => void): Promise<number> {
    await this.run('mkdir "$OUT"; sync')
    return this.run(script, watch)
  }

  /** Throws unless what was restored is the data, file by file and byte by byte. */
  async compare(): Promise<void> {
    await this.run(`diff -r "$DATA_PARENT/data" "$OUT/${this.#contestant.restored ?? 'data'}" >&2`)
  }

  /** Bytes of the backup. */
  async stored(): Promise<number> {
    const product = path.join(this.around.cwd, this.#contestant.product)
    const found = await stat(product)
    if (!found.isDirectory()) return found.size
    let bytes = 0
    for (const entry of await readdir(product, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) bytes += (await stat(path.join(entry.parentPath, entry.name))).size
    return bytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.around.cwd, { recursive: true, force: true })
  }
}
