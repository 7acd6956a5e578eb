import { memorySource } from '../../test/support/memory-source.ts'
import { sourceSuite } from '../../test/suites/source.ts'

sourceSuite('memory', async () => ({
  source: memorySource('data', {
    members: [
      { path: 'a', type: 'directory' },
      { path: 'a/text', content: 'some text' },
      { path: 'a/more', type: 'hardlink', link: 'a/text' },
      { path: 'a/link', type: 'symlink', link: '../nowhere' },
      { path: 'dump', content: 'x'.repeat(200_000), sizeUnknown: true },
    ],
  }),
  missing: undefined,
  [Symbol.asyncDispose]: async () => {},
}))
