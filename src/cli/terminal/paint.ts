/** Colours on a terminal. Colour is never the only sign: a bar has its name beside it, an error has `!`. */

/**
 * Colours by slot of a service (base/name-slots.ts). The 24-bit colours are those of the web UI's dark theme, because
 * most terminals have a dark background. The others are the nearest of the 256 colours that older terminals have.
 */
const slots: readonly { readonly rgb: readonly [number, number, number]; readonly indexed: number }[] = [
  { rgb: [0xff, 0xab, 0x71], indexed: 215 },
  { rgb: [0xf3, 0xd8, 0x4e], indexed: 221 },
  { rgb: [0x83, 0xa7, 0x10], indexed: 106 },
  { rgb: [0x35, 0x91, 0x2a], indexed: 28 },
  { rgb: [0x37, 0xf9, 0xc4], indexed: 86 },
  { rgb: [0x6d, 0xcd, 0xc8], indexed: 80 },
  { rgb: [0xb8, 0xdb, 0xfb], indexed: 153 },
  { rgb: [0x70, 0x96, 0xff], indexed: 69 },
  { rgb: [0x90, 0x6a, 0xd6], indexed: 98 },
  { rgb: [0xbb, 0xab, 0xff], indexed: 147 },
  { rgb: [0xb8, 0x61, 0x9b], indexed: 132 },
  { rgb: [0xbf, 0x8b, 0xaf], indexed: 139 },
]

export interface Paint {
  /** `slot` from 0 to 11. */
  service(slot: number, text: string): string
  error(text: string): string
  muted(text: string): string
  strong(text: string): string
}

/** Plain text unless stdout is a terminal and NO_COLOR is unset (https://no-color.org). */
export function paintFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Paint {
  const plain = (text: string): string => text
  const depth = stream.isTTY && !env.NO_COLOR ? stream.getColorDepth(env as Record<string, string>) : 1
  if (depth < 4) return { service: (_slot, text) => text, error: plain, muted: plain, strong: plain }
  const code = (start: string, text: string): string => `\u001b[${start}m${text}\u001b[0m`
  return {
    service(slot, text) {
      const { rgb, indexed } = slots[slot]!
      if (depth >= 24) return code(`38;2;${rgb.join(';')}`, text)
      return depth >= 8 ? code(`38;5;${indexed}`, text) : code(String(31 + (slot % 6)), text)
    },
    error: (text) => code('1;31', text),
    muted: (text) => code('2', text),
    strong: (text) => code('1', text),
  }
}
