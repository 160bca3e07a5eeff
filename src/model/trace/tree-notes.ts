/** Notes for a person about how a trace's tree was built; the rules are in trace-tree.ts. */
import { topReasons } from './trace-tree.ts'
import type { TraceTree } from './trace-tree.ts'

export interface TreeNote {
  /** `3 roots`. */
  readonly text: string
  /** A sentence that says why. */
  readonly why: string
  /** The first entry of the tree that it is about. */
  readonly entry: number
}

/** Empty for a trace with one root whose parents all arrived. */
export function treeNotes(tree: TraceTree): TreeNote[] {
  const topsFor = (reason: number): Int32Array => tree.tops.filter((top) => tree.topReasons[top] === reason)
  const roots = topsFor(topReasons.noParentId)
  const ownParents = topsFor(topReasons.ownParent)
  const cut = topsFor(topReasons.ringCut)
  const missing = topsFor(topReasons.missingParent)
  const repeated = tree.shownAs.filter((as, span) => as !== span)
  const orphans = missing.reduce((sum, top) => sum + tree.childStarts[top + 1]! - tree.childStarts[top]!, 0)
  const notes: (TreeNote | undefined)[] = [
    note(roots.length > 1, roots[1], {
      text: count(roots.length, 'root'),
      why: 'Several spans have no parent: different requests used one trace id, or a service did not pass its span on.',
    }),
    note(ownParents.length > 0, ownParents[0], {
      text: `${count(ownParents.length, 'span')} ${ownParents.length === 1 ? 'names itself' : 'name themselves'} as parent`,
      why: 'Nothing can be its own parent, so it is drawn as a root.',
    }),
    note(cut.length > 0, cut[0], {
      text: `${count(cut.length, 'ring')} of parents cut`,
      why: 'Spans name each other as parents in a ring. The one that starts first is drawn as a root.',
    }),
    note(missing.length > 0, missing[0], {
      text: `${count(orphans, 'span')} without parent`,
      why: `${count(missing.length, 'parent')} ${missing.length === 1 ? 'was' : 'were'} not received: not sent yet, lost, or left out by sampling.`,
    }),
    note(repeated.length > 0, repeated[0], {
      text: `${count(repeated.length, 'span')} sent again`,
      why: 'The same span came more than once: same id, kind, start and name. It is drawn once.',
    }),
  ]
  return notes.filter((each) => each !== undefined)
}

function note(holds: boolean, entry: number | undefined, words: Omit<TreeNote, 'entry'>): TreeNote | undefined {
  return holds ? { ...words, entry: entry! } : undefined
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`
}
