/**
 * The bars of the waterfall, drawn only for visible rows.
 *
 * In a row of 24 px, self time is a bar of 14 px around the middle line at 11, and time covered by children is 6 px
 * high. The critical path is a rail of 3 px at 20. An error is a red cap at the end and "!". Nothing here depends on
 * where the trace came from.
 */
import { printDuration } from '../model/format.ts'
import { errorsIn, groupSize, has, isSpan, nodeFlags } from '../model/trace.ts'
import type { Trace } from '../model/trace.ts'
import { drawGroup, drawMissingParent } from './group-bar.ts'
import type { RowPainter, WaterfallView } from './row-painter.ts'
import { axisBoldFont, axisFont, textWidth } from './surface.ts'

export const rowHeight = 24
const middle = 11
const selfHeight = 14
const coveredHeight = 6
const railTop = 20
const railHeight = 3
const diamondSize = 4
const dimmed = 0.3
const raggedLength = 22

export function renderWaterfall(context: CanvasRenderingContext2D, view: WaterfallView): void {
  const scale = view.width / (view.to - view.from)
  const painter: RowPainter = { context, view, x: (nanos) => (nanos - view.from) * scale }
  renderGrid(painter)
  const first = Math.max(0, Math.floor(view.scrollTop / rowHeight))
  const last = Math.min(view.rows.nodes.length - 1, Math.floor((view.scrollTop + view.height) / rowHeight))
  const eachRow = (render: (painter: RowPainter, node: number, top: number) => void): void => {
    for (let row = first; row <= last; row++) render(painter, view.rows.nodes[row]!, row * rowHeight - view.scrollTop)
  }
  eachRow(renderConnector)
  eachRow(renderRow)
}

function renderGrid({ context, view, x }: RowPainter): void {
  context.fillStyle = view.palette.divider
  context.globalAlpha = 0.6
  for (const tick of view.ticks) context.fillRect(Math.round(x(tick)), 0, 1, view.height)
  context.globalAlpha = 1
}

function isDimmed({ rows }: WaterfallView, node: number): boolean {
  return rows.matches !== undefined && rows.matches[node] !== 1
}

function renderRow(painter: RowPainter, node: number, top: number): void {
  const { context, view, x } = painter
  const { tree, timing } = view.trace
  const x0 = x(timing.start[node]!)
  const x1 = x(timing.start[node]! + timing.length[node]!)
  context.globalAlpha = isDimmed(view, node) ? dimmed : 1
  if (x1 < -1 || x0 > view.width + 1) renderOffscreen(painter, { x0, top })
  else if (has(tree, node, nodeFlags.missingParent)) drawMissingParent(painter, { x0, x1, top })
  else if (has(tree, node, nodeFlags.group)) drawGroup(painter, node, top)
  else renderSpan(painter, node, { x0, x1, top })
  renderRail(painter, node, top)
  if (!(x1 < -1 || x0 > view.width + 1)) renderLabel(painter, node, { x0, x1, top })
  context.globalAlpha = 1
}

/** A chevron at the edge shows in which direction the bar is. */
function renderOffscreen({ context, view }: RowPainter, { x0, top }: { x0: number; top: number }): void {
  context.strokeStyle = view.palette.muted
  context.lineWidth = 1.5
  const [edge, tip] = x0 < 0 ? [8, 4] : [view.width - 8, view.width - 4]
  context.beginPath()
  context.moveTo(edge, top + middle - 4)
  context.lineTo(tip, top + middle)
  context.lineTo(edge, top + middle + 4)
  context.stroke()
}

interface Place {
  readonly x0: number
  readonly x1: number
  readonly top: number
}

function renderSpan(painter: RowPainter, node: number, place: Place): void {
  const { context, view } = painter
  const { tree } = view.trace
  const { slot, striped } = tree.colours[tree.service[node]!]!
  const colour = view.palette.slots[slot]!
  const isWide = has(tree, node, nodeFlags.error) || node === view.selected
  const width = Math.max(isWide ? 2 : 1, place.x1 - place.x0)
  if (view.ghosts) renderGhost(painter, node, place.top)
  if (has(tree, node, nodeFlags.unfinished)) renderUnfinished(painter, place, colour)
  else if (has(tree, node, nodeFlags.async)) renderOutlined(context, { ...place, width, colour })
  else renderSolid(painter, node, { ...place, width, colour })
  if (striped || (view.ghosts && view.ghosts[node] !== view.trace.timing.start[node]))
    hatch(painter, { ...place, width })
  renderEvents(painter, node, place)
  if (has(tree, node, nodeFlags.error)) {
    context.fillStyle = view.palette.error
    context.fillRect(
      place.x0 + width - Math.min(4, Math.max(2, width / 2)),
      place.top + middle - selfHeight / 2,
      Math.min(4, Math.max(2, width / 2)),
      selfHeight,
    )
  }
  if (node === view.selected || view.found?.[node]) {
    context.strokeStyle = node === view.selected ? view.palette.text : view.palette.accent
    context.lineWidth = 1.5
    strokeRound(context, {
      x: place.x0 - 2,
      y: place.top + middle - selfHeight / 2 - 2,
      w: width + 4,
      h: selfHeight + 4,
    })
  }
}

interface Bar extends Place {
  readonly width: number
  readonly colour: string
}

function renderSolid({ context, view, x }: RowPainter, node: number, { x0, top, width, colour }: Bar): void {
  const { covered, start, length } = view.trace.timing
  context.fillStyle = colour
  const first = covered.first[node]!
  const end = covered.first[node + 1]!
  if (first === end || width < 3) {
    fillRound(context, { x: x0, y: top + middle - selfHeight / 2, w: width, h: selfHeight })
    return
  }
  context.fillRect(x0, top + middle - coveredHeight / 2, width, coveredHeight)
  let at = start[node]!
  for (let i = first; i <= end; i++) {
    const until = i < end ? covered.from[i]! : start[node]! + length[node]!
    const [from, to] = [Math.max(-2, x(at)), Math.min(view.width + 2, x(until))]
    if (to - from > 0.3)
      fillRound(context, { x: from, y: top + middle - selfHeight / 2, w: Math.max(1, to - from), h: selfHeight })
    if (i < end) at = covered.to[i]!
  }
}

function renderOutlined(context: CanvasRenderingContext2D, { x0, top, width, colour }: Bar): void {
  const box = {
    x: x0 + 0.75,
    y: top + middle - selfHeight / 2 + 0.75,
    w: Math.max(1, width - 1.5),
    h: selfHeight - 1.5,
  }
  const alpha = context.globalAlpha
  context.globalAlpha = alpha * 0.25
  context.fillStyle = colour
  fillRound(context, box)
  context.globalAlpha = alpha
  context.strokeStyle = colour
  context.lineWidth = 1.5
  strokeRound(context, box)
}

/**
 * From the parent's row down to the start of an async span. Drawn below all bars and labels, because it crosses their
 * rows.
 */
function renderConnector({ context, view, x }: RowPainter, node: number, top: number): void {
  const { tree, timing } = view.trace
  if (!has(tree, node, nodeFlags.async)) return
  const above = view.rows.rowOf[tree.parent[node]!]!
  const at = Math.round(x(timing.start[node]!)) + 0.5
  if (above < 0 || at < -1 || at > view.width + 1) return
  context.globalAlpha = isDimmed(view, node) ? dimmed : 1
  context.strokeStyle = view.palette.muted
  context.lineWidth = 1
  context.setLineDash([3, 3])
  context.beginPath()
  context.moveTo(at, Math.max(-4, above * rowHeight - view.scrollTop + rowHeight - 4))
  context.lineTo(at, top + middle - selfHeight / 2)
  context.stroke()
  context.setLineDash([])
  context.globalAlpha = 1
}

function renderUnfinished({ context }: RowPainter, { x0, top }: Place, colour: string): void {
  const [y, bottom] = [top + middle - selfHeight / 2, top + middle + selfHeight / 2]
  context.fillStyle = colour
  context.beginPath()
  context.moveTo(x0, y)
  const teeth = 4
  for (let tooth = 0; tooth <= teeth; tooth++) {
    context.lineTo(x0 + raggedLength - (tooth % 2) * 5, y + (tooth * selfHeight) / teeth)
  }
  context.lineTo(x0, bottom)
  context.fill()
}

/** Where the span would be by its own clock. */
function renderGhost({ context, view, x }: RowPainter, node: number, top: number): void {
  const raw = view.ghosts![node]!
  if (raw === view.trace.timing.start[node]) return
  context.strokeStyle = view.palette.muted
  context.lineWidth = 1
  context.setLineDash([2, 2])
  const width = Math.max(2, view.trace.timing.length[node]! * (x(1) - x(0)))
  context.strokeRect(Math.round(x(raw)) + 0.5, top + middle - selfHeight / 2 + 0.5, width, selfHeight - 1)
  context.setLineDash([])
}

/** Diagonal lines in the background colour, clipped to the bar. */
function hatch({ context, view }: RowPainter, { x0, top, width }: Place & { width: number }): void {
  const [left, right] = [Math.max(0, x0), Math.min(view.width, x0 + width)]
  if (right - left < 4) return
  context.save()
  context.beginPath()
  context.rect(left, top + middle - selfHeight / 2, right - left, selfHeight)
  context.clip()
  context.strokeStyle = view.palette.bg
  context.lineWidth = 1.5
  context.beginPath()
  for (let at = left - selfHeight - (left % 6); at < right; at += 6) {
    context.moveTo(at, top + middle + selfHeight / 2)
    context.lineTo(at + selfHeight, top + middle - selfHeight / 2)
  }
  context.stroke()
  context.restore()
}

function renderEvents({ context, view, x }: RowPainter, node: number, { top }: Place): void {
  const { tree } = view.trace
  const colour = has(tree, node, nodeFlags.hasExceptions) ? view.palette.error : view.palette.text
  let drawnTo = -Infinity
  for (let i = tree.eventStart[node]!; i < tree.eventStart[node + 1]!; i++) {
    const shift = view.ghosts ? view.trace.timing.start[node]! - view.ghosts[node]! : 0
    const at = x(tree.events[i]! + shift)
    if (at < drawnTo || at < -8 || at > view.width + 8) continue
    drawnTo = at + 3
    context.beginPath()
    context.moveTo(at, top + middle - diamondSize)
    context.lineTo(at + diamondSize, top + middle)
    context.lineTo(at, top + middle + diamondSize)
    context.lineTo(at - diamondSize, top + middle)
    context.closePath()
    context.fillStyle = colour
    context.strokeStyle = view.palette.bg
    context.lineWidth = 2
    context.stroke()
    context.fill()
  }
}

/** Ranges thinner than a pixel are joined, so that a group of thousands needs few boxes. */
function renderRail({ context, view, x }: RowPainter, node: number, top: number): void {
  const { tree, timing } = view.trace
  const isFoldedGroup = has(tree, node, nodeFlags.group) && !view.open[node]
  const end = timing.critical.first[isFoldedGroup ? tree.subtreeEnd[node]! : node + 1]!
  context.fillStyle = view.palette.text
  let from = NaN
  let to = NaN
  for (let i = timing.critical.first[node]!; i < end; i++) {
    const [a, b] = [Math.max(0, x(timing.critical.from[i]!)), Math.min(view.width, x(timing.critical.to[i]!))]
    if (b < a) continue
    if (a <= to + 0.7 && a >= from) to = Math.max(to, b)
    else {
      if (to >= from) context.fillRect(from, top + railTop, Math.max(1, to - from), railHeight)
      from = a
      to = b
    }
  }
  if (to >= from) context.fillRect(from, top + railTop, Math.max(1, to - from), railHeight)
}

function renderLabel(painter: RowPainter, node: number, { x0, x1, top }: Place): void {
  const { context, view } = painter
  const { tree } = view.trace
  const { mark, text } = labelOf(view.trace, node, view.open)
  context.font = mark === '' ? axisFont : axisBoldFont
  const markWidth = mark === '' ? 0 : textWidth(context, mark) + 6
  context.font = axisFont
  const width = markWidth + textWidth(context, text)
  const right = Math.max(x1, x0 + (has(tree, node, nodeFlags.unfinished) ? raggedLength : 2))
  const at = placeLabel(painter, { left: x0, right, width })
  if (at === undefined) return
  if (at.isInside) {
    context.fillStyle = view.palette.bg
    context.fillRect(at.x - 4, top + middle - 7, width + 8, 14)
  } else context.clearRect(at.x - 2, top + middle - 7, width + 4, 14)
  if (mark !== '') {
    context.font = axisBoldFont
    context.fillStyle = view.palette.error
    context.fillText(mark, at.x, top + middle + 1)
    context.font = axisFont
  }
  context.fillStyle = node === view.selected || at.isInside ? view.palette.text : view.palette.muted
  context.fillText(text, at.x + markWidth, top + middle + 1)
}

/** The label goes after the bar, else before it, else over its end; `undefined` where there is no room at all. */
function placeLabel(
  { view }: RowPainter,
  { left, right, width }: { left: number; right: number; width: number },
): { x: number; isInside: boolean } | undefined {
  const gap = 8
  if (right + gap + width < view.width - 4) return { x: Math.max(gap, right + gap), isInside: false }
  if (left - gap - width > 4) return { x: Math.min(left - gap, view.width - 4) - width, isInside: false }
  const inside = Math.min(right, view.width) - gap - 4 - width
  return inside > Math.max(0, left) ? { x: inside, isInside: true } : undefined
}

function labelOf({ tree, timing }: Trace, node: number, open: Uint8Array): { mark: string; text: string } {
  const errors = errorsIn(tree, node)
  const ownError = has(tree, node, nodeFlags.error)
  const mark = open[node] || errors === (ownError ? 1 : 0) ? (ownError ? '!' : '') : `! ${errors}`
  if (has(tree, node, nodeFlags.missingParent)) return { mark, text: 'parent not received' }
  if (has(tree, node, nodeFlags.group)) {
    let total = 0
    let most = 0
    for (let child = node + 1; child < tree.subtreeEnd[node]!; child = tree.subtreeEnd[child]!) {
      total += timing.length[child]!
      most = Math.max(most, timing.length[child]!)
    }
    return { mark, text: `×${groupSize(tree, node)}  total ${printDuration(total)}, max ${printDuration(most)}` }
  }
  const glyphs = `${has(tree, node, nodeFlags.hasLinks) ? '  ↗' : ''}${has(tree, node, nodeFlags.skewed) ? '  ⇄' : ''}`
  if (has(tree, node, nodeFlags.unfinished)) return { mark, text: 'no end' + glyphs }
  return { mark, text: isSpan(tree, node) ? printDuration(timing.length[node]!) + glyphs : '' }
}

interface Box {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

function fillRound(context: CanvasRenderingContext2D, { x, y, w, h }: Box): void {
  if (w < 5) {
    context.fillRect(x, y, w, h)
    return
  }
  context.beginPath()
  context.roundRect(x, y, w, h, 2)
  context.fill()
}

function strokeRound(context: CanvasRenderingContext2D, { x, y, w, h }: Box): void {
  context.beginPath()
  context.roundRect(x, y, w, h, 3)
  context.stroke()
}
