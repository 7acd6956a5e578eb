import { execFileSync } from 'node:child_process'

/** A Python that has what the reference reader imports. `python3` may be another than the one of the system's packages. */
export function findPython(): string {
  for (const python of ['python3', '/usr/bin/python3']) {
    try {
      execFileSync(python, ['-c', 'import argon2, cryptography'], { stdio: 'ignore' })
      return python
    } catch {
      // Not there, or without them: the next one.
    }
  }
  throw new Error(
    'no Python with its packages; as root: apt-get install -y python3-argon2 python3-cryptography',
  )
}
