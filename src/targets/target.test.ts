import { faultyTarget } from '../../test/support/faulty-target.ts'
import { memoryTarget } from '../../test/support/memory-target.ts'
import { targetSuite } from '../../test/suites/target.ts'

const make = (capacity?: number) => async () => {
  const target = memoryTarget('memory', capacity)
  return {
    target,
    residue: async () => [...target.objects.keys()].toSorted(),
    async [Symbol.asyncDispose]() {},
  }
}

targetSuite('memory', make(), { free: false })
targetSuite('memory with a capacity', make(20_000_000), { free: true })
targetSuite(
  'faulty, without a fault',
  async () => {
    const under = await make()()
    return { ...under, target: faultyTarget(under.target, []) }
  },
  { free: false },
)
