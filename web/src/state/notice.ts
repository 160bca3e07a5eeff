/** Short confirmations ("Link copied"), shown for a moment and announced by screen readers. */
import { signal } from '@preact/signals'

export const notice = signal('')
let timer: ReturnType<typeof setTimeout> | undefined

export function say(text: string): void {
  notice.value = text
  clearTimeout(timer)
  timer = setTimeout(() => {
    notice.value = ''
  }, 2500)
}

/** Copies a text and confirms it, or says that the browser does not allow it. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await writeClipboard(text)
    say(`${what} copied`)
  } catch {
    say(`The browser does not let this page copy; select the text by hand`)
  }
}

/** The clipboard API exists only in secure contexts; plain http on another machine needs the older method. */
async function writeClipboard(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  if (!done) throw new Error('copy refused')
}
