import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSealiftError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import { attend, run, stream } from './process.ts'

const options = { signal: new AbortController().signal, env: {} }
const sh = (script: string): [string, string[]] => ['/bin/sh', ['-c', script]]

/** An error of this code whose sentence has this in it. */
function says(code: ErrorCode, text: RegExp): (error: unknown) => boolean {
  return (error) => isSealiftError(error, code) && text.test(error.message)
}

/** Whether a process lives; one that nobody has waited for yet does not. */
function lives(pid: string): boolean {
  return existsSync(`/proc/${pid}/exe`)
}

/** Waits for the end of a process that has been killed: one that is not our child takes its moment to go. */
async function ends(pid: string): Promise<void> {
  const late = Date.now() + 20_000
  while (lives(pid)) {
    assert.ok(Date.now() < late, `process ${pid} still lives`)
    await sleep(5)
  }
}

suite('a process that runs to its end', () => {
  test('gives its output, from its input, with no environment but the given one', async () => {
    assert.equal((await run(...sh('cat'), { ...options, input: 'ä text' })).toString(), 'ä text')
    const env = (await run('/usr/bin/env', [], { ...options, env: { ONLY: 'this' } })).toString()
    assert.equal(env, 'ONLY=this\n')
  })

  test('gets its arguments as they are, without a shell', async () => {
    const args = ['-n', '$HOME; `id` "*"']
    assert.equal((await run('/bin/echo', args, options)).toString(), '$HOME; `id` "*"')
  })

  test('may leave its input unread', async () => {
    const input = Buffer.alloc(4 * 1024 * 1024)
    assert.equal((await run(...sh('echo enough'), { ...options, input })).toString(), 'enough\n')
  })

  test('gives all of a large output, with a reader that is slow to begin', async () => {
    const output = stream(...sh('head -c 5000000 /dev/zero'), options)
    await new Promise((resolve) => setTimeout(resolve, 50))
    let length = 0
    for await (const chunk of output as AsyncIterable<Buffer>) length += chunk.length
    assert.equal(length, 5_000_000)
  })
})

suite('every other end is an error', () => {
  test('a program that is not there', async () => {
    await assert.rejects(run('no-such-program', [], options), says('PROCESS_NOT_FOUND', /no-such-program/))
  })

  test('a program that may not be run', async () => {
    await assert.rejects(run('/etc/passwd', [], options), says('PROCESS_FAILED', /EACCES/))
  })

  test('an exit code, with the last words and no more than 4 KiB of them', async () => {
    const script = 'head -c 100000 /dev/zero | tr "\\0" x >&2; echo the last words >&2; echo output; exit 3'
    await assert.rejects(run(...sh(script), options), (error) => {
      assert.ok(isSealiftError(error, 'PROCESS_FAILED'))
      assert.equal(error.data.exit, 'exit code 3')
      assert.match(error.data.stderr, /the last words$/)
      assert.ok(error.data.stderr.length <= 4096)
      return true
    })
  })

  test('a signal', async () => {
    await assert.rejects(run(...sh('kill -9 $$'), options), says('PROCESS_FAILED', /SIGKILL/))
  })

  test('a failure after a complete output', async () => {
    const output = stream(...sh('echo all of it; exit 1'), options)
    const chunks: Buffer[] = []
    await assert.rejects(
      async () => {
        for await (const chunk of output as AsyncIterable<Buffer>) chunks.push(chunk)
      },
      says('PROCESS_FAILED', /exit code 1/),
    )
  })

  test('an empty output, where it is refused', async () => {
    assert.equal((await run(...sh('true'), options)).length, 0)
    await assert.rejects(
      run(...sh('echo why >&2'), { ...options, refuseEmpty: true }),
      says('PROCESS_FAILED', /no output: why/),
    )
  })

  test('more output than allowed', async () => {
    await assert.rejects(
      run(...sh('yes'), { ...options, maxOutput: 1000 }),
      says('PROCESS_FAILED', /1000 bytes/),
    )
  })
})

suite('a process that is stopped', () => {
  test('is gone when the call throws the reason, with all that it started', async () => {
    const controller = new AbortController()
    const output = stream(...sh('sleep 600 & echo $$ $!; wait'), { ...options, signal: controller.signal })
    const [line] = (await once(output, 'data')) as [Buffer]
    const pids = line.toString().trim().split(' ')
    assert.ok(pids.every(lives))
    const reason = new Error('stopped')
    const failed = once(output, 'error')
    controller.abort(reason)
    assert.deepEqual(await failed, [reason])
    assert.ok(!lives(pids[0] ?? ''))
    await Promise.all(pids.map(ends))
  })

  test('takes with it what it started and what does not listen', async () => {
    const controller = new AbortController()
    const deaf = `trap "" TERM; echo $$; while :; do sleep 0.05; done`
    const output = stream(...sh(`sh -c '${deaf}' & wait`), { ...options, signal: controller.signal })
    const [line] = (await once(output, 'data')) as [Buffer]
    const failed = once(output, 'error')
    controller.abort(new Error('stopped'))
    await failed
    await ends(line.toString().trim())
  })

  test('is killed when it does not listen', async () => {
    const controller = new AbortController()
    const output = stream(...sh('trap "" TERM; echo $$; while :; do sleep 0.05; done'), {
      ...options,
      signal: controller.signal,
    })
    const [line] = (await once(output, 'data')) as [Buffer]
    const closed = new Promise((resolve) => output.once('close', resolve))
    output.once('error', () => {})
    controller.abort()
    await closed
    assert.ok(!lives(line.toString().trim()))
  })

  test('ends when its reader goes away', async () => {
    const output = stream(...sh('echo $$; exec yes'), options)
    let pid = ''
    for await (const chunk of output as AsyncIterable<Buffer>) {
      pid = chunk.toString().split('\n')[0] ?? ''
      break
    }
    if (!output.closed) await new Promise((resolve) => output.once('close', resolve))
    assert.ok(pid !== '' && !lives(pid))
  })

  test('is not begun after the stop', async () => {
    const reason = new Error('stopped')
    await assert.rejects(run(...sh('true'), { ...options, signal: AbortSignal.abort(reason) }), reason)
  })
})

suite('a program that is attended', () => {
  const given = { ...options, quietOutput: true }

  test('is told of by its exit code or its signal, in the folder that was given', async () => {
    assert.deepEqual(await attend(...sh('test "$PWD" = /usr && exit 3'), { ...given, folder: '/usr' }), {
      code: 3,
      signal: null,
    })
    assert.deepEqual(await attend(...sh('kill -KILL $$'), given), { code: null, signal: 'SIGKILL' })
    assert.deepEqual(await attend(...sh('test -z "$HOME"'), given), { code: 0, signal: null })
  })

  test('is refused where there is none', async () => {
    await assert.rejects(attend('/no/such/program', [], given), says('PROCESS_NOT_FOUND', /\/no\/such/))
    await assert.rejects(
      attend('/bin/true', [], { ...given, folder: '/no/such' }),
      says('PROCESS_FAILED', /ENOENT/),
    )
  })

  test('is asked to end and waited for, because only it knows how far it came', async () => {
    const controller = new AbortController()
    const folder = mkdtempSync(join(tmpdir(), 'sealift-process-'))
    const ended = attend(...sh('trap "exit 7" TERM; : > ready; while :; do sleep 0.02; done'), {
      ...given,
      env: { PATH: '/usr/bin:/bin' },
      folder,
      signal: controller.signal,
    })
    // It listens from then on.
    while (!existsSync(join(folder, 'ready'))) await sleep(5)
    controller.abort()
    assert.deepEqual(await ended, { code: 7, signal: null })
    rmSync(folder, { recursive: true })
  })
})
