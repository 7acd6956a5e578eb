import { after } from 'node:test'

import { credentials, versitygw } from '../support/versitygw-server.ts'
import { abandonedUpload, s3UnderTest } from '../support/versitygw-target.ts'
import { targetSuite } from '../suites/target.ts'

Object.assign(process.env, credentials)
const server = await versitygw()
after(async () => await server[Symbol.asyncDispose]())

targetSuite('s3', async () => await s3UnderTest(server.endpoint), {
  free: false,
  killedWriter: abandonedUpload,
})
