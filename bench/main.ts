/** Measures Sealift and its rivals side by side on the same data. */
import { writeFileSync } from 'node:fs'
import { parseOptions, usage } from './options.ts'
import type { Options } from './options.ts'
import { judge } from './requirements.ts'
import { resultsPage, wordFor } from './results.ts'
import { runBenchmark } from './benchmark.ts'

async function main(): Promise<number> {
  const stopping = new AbortController()
  let stopCode = 0
  for (const [name, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
    process.on(name, () => {
      stopCode = code
      stopping.abort()
    })
  }
  try {
    const options = parseOptions(process.argv.slice(2))
    if (options.help) say(usage)
    return options.help ? 0 : await measure(options, stopping.signal)
  } catch (error) {
    if (stopCode === 0) process.stderr.write(`bench: ${(error as Error).message}\n`)
    return stopCode === 0 ? 1 : stopCode
  }
}

/** 0 if everything that was measured is as required, 1 if not. */
async function measure(options: Options, signal: AbortSignal): Promise<number> {
  const results = await runBenchmark(options, signal, say)
  const command = ['script/bench', ...process.argv.slice(2)].join(' ')
  const page = resultsPage({ ...results, command, rounds: options.rounds })
  if (options.out === undefined) say(`\n${page}`)
  else {
    writeFileSync(options.out, page)
    say(`written to ${options.out}\n`)
  }
  const verdicts = judge(results)
  const widest = Math.max(...verdicts.map(({ requirement }) => requirement.length))
  for (const { requirement, measured, met } of verdicts)
    say(`${requirement.padEnd(widest)}  ${measured.padStart(12)}  ${wordFor(met).replaceAll('*', '')}\n`)
  return verdicts.some(({ met }) => met === false) ? 1 : 0
}

function say(text: string): void {
  process.stdout.write(text)
}

process.exitCode = await main()
