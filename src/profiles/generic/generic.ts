import type { Profile } from '../profile.ts'
import { exposedKeys } from './exposed-keys.ts'

/** Any application made of SQLite databases and files: nothing is known of it but what is true of all. */
export const generic: Profile = {
  name: 'generic',
  title: 'SQLite databases and files',
  checks: [exposedKeys],
}
