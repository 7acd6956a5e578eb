import { Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'

/**
 * The thread of a child process that ends it when its parent is gone: standard input is a pipe that the parent holds
 * open, and the kernel closes it however the parent died. A thread of its own, because SQLite keeps the main one busy
 * for minutes; SIGKILL, because nothing weaker stops a thread that copies pages.
 */
if (!isMainThread) {
  const input = new Socket({ fd: 0, readable: true, writable: false })
  input.once('close', () => process.kill(process.pid, 'SIGKILL'))
  input.resume()
}
