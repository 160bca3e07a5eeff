/** A running clew that does not outlive its test, however that ends. */
import { serveClew, type ServedClew } from '../scenarios/clew-process.ts'

export interface Ending {
  after(end: () => void | Promise<void>): void
}

export async function serveFor(t: Ending, dataDir?: string, args?: readonly string[]): Promise<ServedClew> {
  const clew = await serveClew(dataDir, args)
  t.after(() => void clew.child.kill('SIGKILL'))
  return clew
}
