import type { Scenario } from './scenario.ts'
import { chunks } from './scenarios-chunks.ts'
import { contents } from './scenarios-contents.ts'
import { headers } from './scenarios-header.ts'
import { successes } from './scenarios-success.ts'

/** Every scenario, each with a name of its own. */
export const scenarios: readonly Scenario[] = [...successes, ...headers, ...chunks, ...contents]
