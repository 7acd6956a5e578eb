import type { RsyncOptions } from '../../src/targets/rsync-options.ts'
import { rsync } from '../../src/targets/rsync.ts'
import { put, sample } from './stored.ts'

/** A process that writes an archive of 12 MB to a target `rsync`, to be killed on the way. */
const [options = '{}', scratch = '', name = ''] = process.argv.slice(2)
process.stdout.write('begun\n')
await put(rsync.open('far', JSON.parse(options) as RsyncOptions, scratch), name, sample(12_000_000))
