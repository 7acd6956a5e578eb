import type { Profile } from '../profile.ts'
import { arrange } from './arrange.ts'
import { assurance } from './assurance.ts'
import { examinePlaces } from './examine-places.ts'
import { foreign } from './foreign.ts'
import { guards } from './guards.ts'
import { bundleOf } from './layout.ts'
import { redactLicense } from './license.ts'
import { newestMoment } from './newest-moment.ts'
import { propose } from './propose.ts'
import { plainBackupsOf } from './plain-backups.ts'
import { plainFolderOf } from './plain-folder.ts'
import { response } from './response.ts'
import { rotationOf } from './rotation.ts'
import { checkRunning } from './running.ts'
import { stackOf, vetChange } from './stack.ts'

/** Cullis Mastio: a Compose bundle of one host (mastio.md). */
export const mastio: Profile = {
  name: 'mastio',
  title: 'Cullis Mastio (Docker Compose bundle)',
  propose,
  guards,
  examine: examinePlaces,
  lineage: 'ca_fingerprint_sha256',
  assurance,
  rewrite(source) {
    if (source !== 'config') return undefined
    // latin1 keeps every byte that is not the license.
    return (content) => Buffer.from(redactLicense(content.toString('latin1')).text, 'latin1')
  },
  arrange,
  live: checkRunning,
  folder: bundleOf,
  plainBackups: plainBackupsOf,
  plainFolder: plainFolderOf,
  response,
  rotation: rotationOf,
  stack: stackOf,
  vet: vetChange,
  newestMoment,
  foreign,
}
