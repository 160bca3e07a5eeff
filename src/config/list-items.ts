/** Forms that the texts of some lists must have. */
import type { ListItems } from '../base/option.ts'

export const webOrigins: ListItems = {
  pattern: /^(\*|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+)$/i,
  expected: 'web origins such as https://shop.example (scheme, host and port without a path) or *',
}

export const hostNames: ListItems = {
  pattern: /^(\*|\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f]*:[0-9a-f:.]+)$/i,
  expected: 'host names such as clew.example (without scheme and port) or *',
}
