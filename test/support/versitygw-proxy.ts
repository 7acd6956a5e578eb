import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What goes wrong with a request. */
export type HttpFault =
  /** The server’s answer is this error, and the request never reaches it. */
  | { readonly status: number; readonly code: string; readonly message?: string }
  /** The request waits so long first, in ms. */
  | { readonly delay: number }
  /** The connection is cut when so many bytes of the request’s body have passed. */
  | { readonly cutRequestAt: number }
  /** The connection is cut when so many bytes of the answer’s body have passed. */
  | { readonly cutAnswerAt: number }
  /** The server does what is asked, and its answer never arrives. */
  | { readonly loseAnswer: true }

export interface FaultyHttp extends AsyncDisposable {
  readonly endpoint: string
  /** What was asked: `PUT /bucket/key?partNumber=1`, in order. */
  readonly asked: string[]
  /** The next `times` requests whose `METHOD /path?query` matches have this fault. */
  fail(match: RegExp, fault: HttpFault, times?: number): void
}

/** An HTTP proxy in front of a loopback port, in which faults happen. Headers pass as they are, so signatures hold. */
export async function faultyHttp(port: number): Promise<FaultyHttp> {
  const plan: { match: RegExp; fault: HttpFault; left: number }[] = []
  const asked: string[] = []
  const server = createServer((incoming, answer) => {
    const what = `${incoming.method} ${incoming.url}`
    asked.push(what)
    const due = plan.find(({ match, left }) => left > 0 && match.test(what))
    if (due !== undefined) due.left -= 1
    void handle(port, incoming, answer, due?.fault).catch(() => incoming.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    fail(match, fault, times = 1) {
      plan.push({ match, fault, left: times })
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function handle(
  port: number,
  incoming: IncomingMessage,
  answer: ServerResponse,
  fault: HttpFault | undefined,
): Promise<void> {
  if (fault !== undefined && 'delay' in fault) await sleep(fault.delay)
  if (fault !== undefined && 'status' in fault) {
    incoming.resume()
    await once(incoming, 'end')
    answer.writeHead(fault.status, { 'content-type': 'application/xml' })
    const body = `<Error><Code>${fault.code}</Code><Message>${fault.message ?? 'injected'}</Message></Error>`
    answer.end(incoming.method === 'HEAD' ? undefined : body)
    return
  }
  const { method, url: path, headers } = incoming
  const forward = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
  const cut = (): void => {
    forward.destroy()
    incoming.socket.destroy()
  }
  forward.on('error', cut)
  incoming.on('error', cut)
  answer.on('error', cut)
  forward.on('response', (response) => {
    response.on('error', cut)
    if (fault !== undefined && 'loseAnswer' in fault) {
      response.resume().on('end', cut)
      return
    }
    answer.writeHead(response.statusCode ?? 502, response.rawHeaders)
    passing(
      response,
      answer,
      fault !== undefined && 'cutAnswerAt' in fault ? fault.cutAnswerAt : Infinity,
      cut,
    )
  })
  passing(
    incoming,
    forward,
    fault !== undefined && 'cutRequestAt' in fault ? fault.cutRequestAt : Infinity,
    cut,
  )
}

/** Pipes, and cuts when so many bytes have passed. */
function passing(
  from: NodeJS.ReadableStream,
  to: NodeJS.WritableStream,
  limit: number,
  cut: () => void,
): void {
  let passed = 0
  from.on('data', (chunk: Buffer) => {
    if (passed >= limit) return cut()
    const part = chunk.subarray(0, limit - passed)
    passed += part.length
    const room = to.write(part, () => passed >= limit && setImmediate(cut))
    if (!room) {
      from.pause()
      to.once('drain', () => from.resume())
    }
  })
  from.on('end', () => passed < limit && to.end())
}
