import { after } from 'node:test'

import { abandonedClaim, rsyncUnderTest } from '../support/rsync-target.ts'
import { sshd } from '../support/sshd-server.ts'
import { targetSuite } from '../suites/target.ts'

const server = await sshd()
after(async () => await server[Symbol.asyncDispose]())

targetSuite('rsync', async () => await rsyncUnderTest(server), {
  free: false,
  killedWriter: abandonedClaim,
})
