import { effect, useComputed, useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { forgetDraw, requestDraw } from '../../draw/frame.ts'
import { printDuration, printOffset, printTotal } from '../../model/format.ts'
import { errorsIn, groupSize, has, hasChildren, nodeFlags, nodeTitle, spansIn } from '../../model/trace.ts'
import type { Trace } from '../../model/trace.ts'
import type { TracePage } from '../../state/trace-page.ts'
import { rowHeight } from '../../state/trace-page.ts'

const indent = 12
/** In a view with more levels than this, only the deepest ones are indented, as far as their names have room. */
const wholeIndentMax = 40
const spare = 2
/** Pixels that a revealed name gets. */
const nameRoom = 240

/** The rows in view as a tree grid for pointers, keyboards and screen readers. Rows out of view have no elements. */
export function Names({ page, width }: { page: TracePage; width: number }) {
  const grid = useRef<HTMLDivElement>(null)
  const layer = useRef<HTMLDivElement>(null)
  const sideways = useSignal(0)
  const first = useComputed(() => Math.max(0, Math.floor(page.scrollTop.value / rowHeight) - spare))
  const count = Math.ceil(page.viewHeight.value / rowHeight) + 2 * spare + 1
  const from = first.value
  const rows = page.rows.value!
  const shown = rows.nodes.subarray(from, from + count)
  const { depth } = page.trace.value!.tree
  const deepest = shown.reduce((most, node) => Math.max(most, depth[node]!), 0)
  const base = deepest <= wholeIndentMax ? 0 : deepest - Math.max(8, Math.floor((width - nameRoom) / indent))
  const indentOf = (node: number): number => Math.max(0, depth[node]! - base) * indent
  const scrollTop = page.scrollTop
  useLayoutEffect(() => {
    const place = (): void => {
      if (layer.current)
        layer.current.style.transform = `translate(${-sideways.peek()}px, ${from * rowHeight - scrollTop.peek()}px)`
    }
    place()
    const stops = [scrollTop, sideways].map((at) => at.subscribe(() => requestDraw(place)))
    const slide = (event: WheelEvent): void => {
      const by = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX
      if (by === 0 || (!event.shiftKey && Math.abs(event.deltaY) > Math.abs(event.deltaX))) return
      event.preventDefault()
      sideways.value = Math.max(0, Math.min((deepest - base) * indent, sideways.peek() + by))
    }
    grid.current!.addEventListener('wheel', slide, { passive: false })
    return () => {
      for (const stop of stops) stop()
      forgetDraw(place)
      grid.current?.removeEventListener('wheel', slide)
    }
  }, [from, deepest])
  const toReveal = useRef(-1)
  const reveal = (): void => {
    const node = toReveal.current
    if (!shown.includes(node)) return
    toReveal.current = -1
    sideways.value = revealed(sideways.peek(), indentOf(node), width)
  }
  useLayoutEffect(
    () =>
      effect(() => {
        toReveal.current = page.reveal.value?.node ?? -1
      }),
    [page],
  )
  // A node may be requested before its rows are scrolled into view, and its indentation depends on the view.
  useLayoutEffect(reveal, [from, deepest, page.reveal.value])
  return (
    <div
      class="names"
      ref={grid}
      style={{ width: `${width}px` }}
      role="treegrid"
      aria-label="Spans"
      aria-rowcount={rows.nodes.length}
      aria-activedescendant={rows.rowOf[page.selected.value]! >= 0 ? `row-${page.selected.value}` : undefined}
      tabIndex={0}
    >
      <div class="names-layer" ref={layer}>
        {Array.from(shown, (node, i) => (
          <NameRow key={node} page={page} node={node} row={from + i} indentation={indentOf(node)} isCut={base > 0} />
        ))}
      </div>
    </div>
  )
}

/** Sideways scroll position at which a name that begins at `left` is readable; unchanged if it already is. */
function revealed(sideways: number, left: number, width: number): number {
  const room = Math.min(nameRoom, width * 0.6)
  if (left < sideways) return Math.max(0, left - 2 * indent)
  return Math.max(sideways, left - (width - room))
}

interface NameRowProps {
  readonly page: TracePage
  readonly node: number
  readonly row: number
  /** In pixels. */
  readonly indentation: number
  /** The indentation does not show the level, so the row says it in words. */
  readonly isCut: boolean
}

function NameRow({ page, node, row, indentation, isCut }: NameRowProps) {
  const trace = page.trace.value!
  const { tree } = trace
  const isOpen = page.open.value[node] === 1
  const isFoldable = hasChildren(tree, node)
  const isDim = page.rows.value!.matches !== undefined && page.rows.value!.matches[node] !== 1
  const isFound = page.found.value.marks?.[node] === 1
  return (
    <div
      id={`row-${node}`}
      class={`name-row${isDim ? ' dim' : ''}${isFound ? ' found' : ''}`}
      role="row"
      aria-level={tree.depth[node]! + 1}
      aria-rowindex={row + 1}
      aria-expanded={isFoldable ? isOpen : undefined}
      aria-selected={page.selected.value === node}
      aria-label={describeRow(trace, node)}
      onClick={() => page.select(node)}
      onDblClick={() => page.fit(node)}
      onPointerEnter={() => (page.hovered.value = node)}
    >
      <span role="gridcell" class="name" style={{ paddingLeft: `${indentation}px` }}>
        {isFoldable ? (
          <button
            class="twisty"
            tabIndex={-1}
            title={`${isOpen ? 'Fold' : 'Unfold'} (Alt: the whole subtree)`}
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation()
              page.toggle(node, { wholeSubtree: event.altKey })
            }}
            onDblClick={(event) => event.stopPropagation()}
          >
            <svg viewBox="0 0 16 16" width="16" height="16" class={isOpen ? 'open' : ''}>
              <path d="M6 4l4 4-4 4" />
            </svg>
          </button>
        ) : (
          <span class="twisty" />
        )}
        {isCut && <span class="level muted">{printTotal(tree.depth[node]! + 1)}</span>}
        <NameText trace={trace} node={node} isOpen={isOpen} />
      </span>
    </div>
  )
}

function NameText({ trace: { tree }, node, isOpen }: { trace: Trace; node: number; isOpen: boolean }) {
  const errors = errorsIn(tree, node)
  const isError = has(tree, node, nodeFlags.error)
  const errorMark = isOpen || errors === (isError ? 1 : 0) ? (isError ? '!' : '') : `! ${errors}`
  if (has(tree, node, nodeFlags.missingParent)) {
    return (
      <>
        <i class="swatch dashed" />
        <em class="muted">missing parent</em>
        <span class="error-text">{errorMark}</span>
      </>
    )
  }
  const service = tree.service[node]!
  const { slot, striped } = tree.colours[service]!
  const hidden = isOpen || has(tree, node, nodeFlags.group) ? 0 : spansIn(tree, node) - 1
  return (
    <>
      <i class={striped ? 'swatch striped' : 'swatch'} style={{ backgroundColor: `var(--slot-${slot + 1})` }} />
      <span class="service">{tree.services[service]}</span>
      <span class="operation">{tree.names[tree.name[node]!]}</span>
      {has(tree, node, nodeFlags.group) && <b class="badge">×{groupSize(tree, node)}</b>}
      {hidden > 0 && <span class="badge muted">+{hidden}</span>}
      {errorMark && <b class="error-text">{errorMark}</b>}
      {has(tree, node, nodeFlags.skewed) && (
        <span class="warning-text" title="Its clock disagrees with its caller's">
          ⇄
        </span>
      )}
    </>
  )
}

/** The text for screen readers: "cart reserve, 812 ms, at +40 ms, error". */
function describeRow({ tree, timing }: Trace, node: number): string {
  const errors = errorsIn(tree, node)
  const parts = [nodeTitle(tree, node), printDuration(timing.length[node]!), 'at ' + printOffset(timing.start[node]!)]
  if (has(tree, node, nodeFlags.error)) parts.push('error')
  else if (errors > 0) parts.push(`${errors} errors below`)
  return parts.join(', ')
}
