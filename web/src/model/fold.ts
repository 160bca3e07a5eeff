/**
 * Which nodes are open. The default depends only on the trace. What a person folds or unfolds is kept as a short list
 * of steps, so that it fits in the URL: `fold=-00f067aa0ba902b7.*g53995c3f42cd8ad8`.
 */
import { findNode, hasChildren, isCritical, isSpan, nodeKey } from './trace.ts'
import type { Trace, Tree } from './trace.ts'

/** Larger traces open to depth 2, plus the paths to errors and along the critical path. */
const openWholeMax = 500
const openDepth = 2
/** Beyond this number the oldest steps are dropped, to keep the URL short. */
const stepsMax = 60

export interface FoldStep {
  readonly node: number
  readonly open: boolean
  readonly wholeSubtree: boolean
}

/** 1 for each node whose children are shown. Groups start folded. */
export function defaultOpen({ tree, timing }: Trace): Uint8Array {
  const open = new Uint8Array(tree.nodeCount)
  const openWhole = tree.spanCount <= openWholeMax
  for (let node = tree.nodeCount - 1; node >= 0; node--) {
    const matters = (tree.flags[node]! & 1) !== 0 || isCritical(timing, node)
    const above = tree.parent[node]!
    if ((matters || open[node]! === 2) && above >= 0 && isSpan(tree, above)) open[above] = 2
  }
  for (let node = 0; node < tree.nodeCount; node++) {
    const byDefault = isSpan(tree, node)
      ? openWhole || tree.depth[node]! < openDepth || open[node] === 2
      : tree.flags[node]! & 32
    open[node] = byDefault && hasChildren(tree, node) ? 1 : 0
  }
  return open
}

export function applySteps(tree: Tree, open: Uint8Array, steps: readonly FoldStep[]): Uint8Array {
  const result = open.slice()
  for (const step of steps) {
    if (!step.wholeSubtree) result[step.node] = step.open ? 1 : 0
    else result.fill(step.open ? 1 : 0, step.node, tree.subtreeEnd[step.node]!)
  }
  return result
}

/** Adds a step and drops the steps that it makes pointless. */
export function addStep(tree: Tree, steps: readonly FoldStep[], step: FoldStep): FoldStep[] {
  const isOverridden = (old: FoldStep): boolean =>
    step.wholeSubtree
      ? old.node >= step.node && old.node < tree.subtreeEnd[step.node]!
      : old.node === step.node && !old.wholeSubtree
  return [...steps.filter((old) => !isOverridden(old)), step].slice(-stepsMax)
}

/** `-` folds, `~` unfolds, `!` folds and `*` unfolds the whole subtree. */
export function printSteps(tree: Tree, steps: readonly FoldStep[]): string {
  return steps
    .map(({ node, open, wholeSubtree }) => (wholeSubtree ? (open ? '*' : '!') : open ? '~' : '-') + nodeKey(tree, node))
    .join('.')
}

/** Steps on nodes that the trace does not have are left out. */
export function parseSteps(tree: Tree, text: string): FoldStep[] {
  const steps: FoldStep[] = []
  for (const part of text.split('.').slice(0, stepsMax)) {
    const mark = part[0] ?? ''
    const node = findNode(tree, part.slice(1))
    if (node < 0 || !'*!~-'.includes(mark)) continue
    steps.push({ node, open: mark === '*' || mark === '~', wholeSubtree: mark === '*' || mark === '!' })
  }
  return steps
}
