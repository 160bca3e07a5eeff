/**
 * Evaluates a search on the spans of whole traces. This plain code defines what every stage means. Stores find
 * candidates (plan.ts). Tests compare the answers that a store computes itself with this.
 *
 * A trace starts as one set of all its spans. Each stage turns every set into none, one or several:
 *     { … } and relations       the spans that are chosen; a set that loses all of them is dropped
 *     by(x)                     a set for each value
 *     coalesce()                one set of all
 *     count() > 2               the set, or nothing
 *     select(x)                 the set; answers get a column
 */
import { compileTest } from '../../../model/evaluate/evaluate.ts'
import type { Held } from '../../../model/evaluate/held-value.ts'
import type { SpanRow } from '../../../model/span-row.ts'
import { predicateOf } from '../condition.ts'
import { printField, printName } from '../print-field.ts'
import type { Filter, Group, SpansetExpression, Stage } from '../syntax.ts'
import { compileValues, keyOf } from './field-values.ts'
import { related, unionOf } from './relations.ts'
import { compileScalarFilter } from './scalar.ts'
import type { Choice, Label, NamedNumber, Spanset, Step } from './spanset.ts'
import { TraceIndex } from './trace-index.ts'

export interface FoundSpanset {
  /** In order of start. */
  readonly spans: readonly FoundSpan[]
  readonly labels: readonly Label[]
  readonly numbers: readonly NamedNumber[]
}

export interface FoundSpan {
  readonly row: SpanRow
  /** The columns of `select`, in its order. */
  readonly selected: readonly Label[]
}

/**
 * For stages that passed `check`: `compileSearch(stages)(rows)` returns the sets of one trace, none when it does not
 * match. `rows` are all spans of the trace, in any order.
 */
export function compileSearch(stages: readonly Stage[]): (rows: readonly SpanRow[]) => FoundSpanset[] {
  const step = compileStages(stages)
  const columns = stages
    .flatMap((stage) => (stage.kind === 'select' ? stage.fields : []))
    .map((field) => ({
      name: printName(field),
      valuesOf: compileValues(field),
    }))
  return (rows) => {
    if (rows.length === 0) return []
    const index = new TraceIndex(rows)
    const found = (position: number): FoundSpan => ({
      row: index.rowAt(position),
      selected: columns.map(({ name, valuesOf }) => ({ name, values: valuesOf(index.viewAt(position)) })),
    })
    const all: Spanset = { spans: index.spans, labels: [], numbers: [] }
    return step([all], index).map(({ spans, labels, numbers }) => ({
      spans: spans.map(found).sort((a, b) => order(a.row.startTimeUnixNano, b.row.startTimeUnixNano)),
      labels,
      numbers,
    }))
  }
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compileStages(stages: readonly Stage[]): Step {
  const steps = stages.map(compileStage)
  return (sets, index) => steps.reduce((left, step) => step(left, index), sets)
}

function compileStage(stage: Stage): Step {
  switch (stage.kind) {
    case 'select':
      return (sets) => sets
    case 'group':
      return compileGroup(stage)
    case 'coalesce':
      return (sets) => {
        const spans = unionOf(sets.map((set) => set.spans))
        return spans.length === 0 ? [] : [{ spans, labels: [], numbers: [] }]
      }
    case 'pipeline':
      return compileStages(stage.stages)
    default: {
      const choose = compileChoice(stage)
      return (sets, index) =>
        sets.flatMap((set) => {
          const { spans, numbers } = choose(set, index)
          return spans.length === 0 ? [] : [{ ...set, spans, numbers: [...set.numbers, ...numbers] }]
        })
    }
  }
}

function compileChoice(spanset: SpansetExpression): Choice {
  switch (spanset.kind) {
    case 'filter':
      return compileFilter(spanset)
    case 'scalarFilter':
      return compileScalarFilter(spanset, compileStages)
    case 'pipeline': {
      // As an operand it is one set, even when it consists of several.
      const step = compileStages(spanset.stages)
      return (set, index) => {
        const sets = step([{ ...set, numbers: [] }], index)
        return {
          spans: unionOf(sets.map((found) => found.spans)),
          numbers: sets.length === 1 ? sets[0]!.numbers : [],
        }
      }
    }
    case 'combination': {
      const [left, right] = [compileChoice(spanset.left), compileChoice(spanset.right)]
      return (set, index) => {
        const [a, b] = [left(set, index), right(set, index)]
        return { spans: related(spanset.operator, a.spans, b.spans, index), numbers: [...a.numbers, ...b.numbers] }
      }
    }
  }
}

function compileFilter({ where }: Filter): Choice {
  if (where === undefined) return ({ spans }) => ({ spans, numbers: [] })
  const isMet = compileTest(predicateOf(where))
  return ({ spans }, index) => ({ spans: spans.filter((position) => isMet(index.viewAt(position))), numbers: [] })
}

function compileGroup({ by }: Group): Step {
  const fields = by.map((field) => ({ name: printField(field), valuesOf: compileValues(field) }))
  return (sets, index) =>
    sets.flatMap((set) => {
      const groups = new Map<string, { readonly spans: number[]; readonly values: readonly (readonly Held[])[] }>()
      for (const position of set.spans) {
        const values = fields.map(({ valuesOf }) => valuesOf(index.viewAt(position)))
        const key = values.map(keyOf).join()
        const group = groups.get(key)
        if (group === undefined) groups.set(key, { spans: [position], values })
        else group.spans.push(position)
      }
      return [...groups.values()].map(({ spans, values }) => ({
        ...set,
        spans,
        labels: [...set.labels, ...fields.map(({ name }, i) => ({ name, values: values[i]! }))],
      }))
    })
}
