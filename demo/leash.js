/** Preloaded into clew by the demo: ends it in the orderly way when the demo dies and the pipe to stdin with it. */
const stop = () => process.kill(process.pid, 'SIGTERM')
process.stdin.on('end', stop).on('error', stop).resume()
process.stdin.unref?.()
