/** The bodies that the log's fault tests append: made from a number, so that whoever reads one can check all of it. */

/** From a few bytes to 300 kB, most of them small. */
export function logBody(id: number): Buffer {
  const bytes = id % 50 === 0 ? 300_000 : 20 + ((id * 7919) % 2000)
  return Buffer.alloc(bytes, `${id};`)
}

/** The number a body was made from; -1 when it is not exactly that body. */
export function parseLogBody(body: Uint8Array): number {
  const id = Number.parseInt(Buffer.from(body.subarray(0, 16)).toString(), 10)
  return Number.isSafeInteger(id) && logBody(id).equals(body) ? id : -1
}
