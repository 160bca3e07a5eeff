/** Events as the running program answers them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { eventsAnswer, type EventItem } from '../../src/api/native/contract/events.ts'

export async function storedEvents(url: string, parameters: Readonly<Record<string, string>>): Promise<EventItem[]> {
  const query = new URLSearchParams({ limit: '10000', ...parameters })
  const response = await fetch(`${url}/api/v1/events?${query.toString()}`)
  if (!response.ok) throw new Error(`GET /events answered ${response.status}: ${await response.text()}`)
  return eventsAnswer.parse(await response.json()).events
}

/** Waits until at least so many are stored; oldest first. */
export async function awaitEvents(
  url: string,
  parameters: Readonly<Record<string, string>>,
  count: number,
): Promise<EventItem[]> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const events = await storedEvents(url, parameters)
    if (events.length >= count) return events.sort((a, b) => (BigInt(a.timeUnixNano) < BigInt(b.timeUnixNano) ? -1 : 1))
    if (Date.now() > deadline)
      throw new Error(`${events.length} of ${count} events were stored for ${JSON.stringify(parameters)}`)
    await sleep(100)
  }
}
