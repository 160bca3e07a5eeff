import { Option } from 'commander'
import { InputError } from '../base/errors.ts'

const defaultUrl = 'http://127.0.0.1:7070'

/** `--url`, for every command that talks to a running clew. */
export function urlOption(): Option {
  return new Option('--url <url>', 'address of a running clew').env('CLEW_URL').default(defaultUrl)
}

/** The address without a trailing slash. A host without a scheme gets http. Throws `InputError` bad_usage. */
export function parseServerUrl(given: string, place = '--url'): string {
  // An environment variable set to nothing counts as not set.
  const text = given === '' ? defaultUrl : given
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || url.hostname === '') {
    throw new InputError('bad_usage', `cannot use "${text}" for ${place}: expected an address such as ${defaultUrl}`, {
      at: place,
    })
  }
  return `${url.origin}${url.pathname}`.replace(/(?<!\/)\/+$/, '')
}
