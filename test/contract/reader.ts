/**
 * What every `Reader` must do, whatever it reads from: each test stores rows and asks. A store opens a subject for each test
 * and passes all of them; a question that it declares it cannot answer (`abilities`) must be refused.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { InputError } from '../../src/base/errors.ts'
import type { Reader } from '../../src/model/reader.ts'
import { second, type TestEvent, type TestSpan } from '../support/test-spans.ts'

export interface ReaderSubject {
  readonly reader: Reader
  /** Resolves when the reader must know the rows; may be called several times. */
  store(spans: readonly TestSpan[], events?: readonly TestEvent[]): Promise<void>
}

/** An empty store. */
export type OpenSubject = (t: TestContext) => Promise<ReaderSubject>

export interface ContractTest {
  readonly name: string
  /** Ability without which the question cannot be asked. */
  readonly needs?: 'events' | 'overview' | 'facets' | 'figures' | 'nodes' | 'attributes'
  readonly run: (subject: ReaderSubject) => Promise<void>
}

/** A multiple of five minutes. */
export const origin = 1_700_000_100n * second

/** Runs the tests against the reader that `open` gives. */
export function runContract(reader: string, tests: readonly ContractTest[], open: OpenSubject): void {
  for (const { name, needs, run } of tests) {
    test(`${reader}: ${name}`, async (t) => {
      const subject = await open(t)
      const { abilities } = subject.reader
      if (needs === undefined || abilities[needs]) await run(subject)
      else await assert.rejects(run(subject), InputError)
    })
  }
}

/** Nothing that is asked with an aborted signal is answered. */
export async function assertCancelled(ask: (options: { signal: AbortSignal }) => Promise<unknown>): Promise<void> {
  await assert.rejects(ask({ signal: AbortSignal.abort(new Error('the client went away')) }), /the client went away/)
}
