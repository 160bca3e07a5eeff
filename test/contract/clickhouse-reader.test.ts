/** The contract of readers, on the embedded ClickHouse. */
import { after } from 'node:test'
import { temporaryEngine } from '../support/temporary-store.ts'
import { eventBatchOf, spanBatchOf } from '../support/test-spans.ts'
import { openClickHouse } from './clickhouse-subject.ts'
import { eventQuestions } from './event-questions.ts'
import { figureQuestions } from './figure-questions.ts'
import { runContract, type OpenSubject } from './reader.ts'
import { traceQuestions } from './trace-questions.ts'

const engine = await temporaryEngine({ after })

const questions = [...traceQuestions, ...eventQuestions, ...figureQuestions]

function openFor(which: 'reader' | 'stranger'): OpenSubject {
  return async (t) => {
    const { insert, ...readers } = await openClickHouse(engine, t)
    return {
      reader: readers[which],
      store: (spans, events = []) => insert([spanBatchOf(spans), eventBatchOf(events)].filter(({ rows }) => rows > 0)),
    }
  }
}

runContract('clickhouse', questions, openFor('reader'))
runContract('clickhouse that another process writes', questions, openFor('stranger'))
