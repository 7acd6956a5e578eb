import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { local } from '../../src/targets/local.ts'

/** Writes a part of an archive into a folder from another process, and kills that process with SIGKILL. */
export async function abandonedWrite(folder: string, name: string): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), folder, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

if (import.meta.main) {
  const [folder = '', name = ''] = process.argv.slice(2)
  const writer = await local.open('local', { path: folder }).create(name)
  writer.stream.write(Buffer.alloc(100_000), () => process.stdout.write('written\n'))
  setInterval(() => undefined, 1000)
}
