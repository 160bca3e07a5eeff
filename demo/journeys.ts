/** What shoppers do: each journey is the list of requests that one of them makes, chosen by a seed. */
import { type Random, randomOf, weighted, whole } from './random.ts'

export interface Step {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: Readonly<Record<string, unknown>>
}

export interface Journey {
  readonly name: string
  readonly user: string
  readonly steps: readonly Step[]
}

interface Scenario {
  readonly name: string
  readonly weight: number
  readonly steps: (random: Random, user: string, number: number) => Step[]
}

const productCount = 2_000
const pageCount = 100
const userCount = 500
const words = ['lamp', 'chair', 'kettle', 'rug', 'shelf']

const get = (path: string): Step => ({ method: 'GET', path })
const post = (path: string, body: Step['body']): Step => ({ method: 'POST', path, body: body ?? {} })
const product = (random: Random): number => 1 + whole(random, productCount)
const word = (random: Random): string => words[whole(random, words.length)]!
const login = (user: string): Step => post('/login', { user, password: `secret of ${user}` })

const scenarios: readonly Scenario[] = [
  {
    name: 'browse',
    weight: 30,
    steps: (random) => [
      get('/'),
      get(`/products?page=${whole(random, pageCount)}`),
      get(`/products/${product(random)}`),
    ],
  },
  {
    name: 'search',
    weight: 25,
    steps: (random) => [
      get(`/search?q=${word(random)}`),
      ...(random() < 0.4 ? [get(`/search?q=${word(random)}&sort=rating`)] : []),
      get(`/products/${product(random)}`),
    ],
  },
  {
    name: 'recommendations',
    weight: 15,
    steps: (random, user) => [get(`/recommendations/${user}`), get(`/products/${product(random)}`)],
  },
  { name: 'login', weight: 10, steps: (_random, user) => [login(user), get(`/recommendations/${user}`)] },
  {
    name: 'checkout',
    weight: 30,
    steps: (random, user, number) => [
      login(user),
      ...Array.from({ length: 1 + whole(random, 3) }, () =>
        post('/cart', { user, productId: product(random), quantity: 1 + whole(random, 3) }),
      ),
      post('/checkout', { user, key: `${user}-${number}` }),
    ],
  },
]

/** The `number`th journey of a load: the same for the same seed, whatever happened to those before it. */
export function journeyOf(seed: number, number: number): Journey {
  const random = randomOf(seed * 1_000_003 + number)
  const user = `user-${whole(random, userCount)}`
  const scenario = weighted(random, scenarios)
  return { name: scenario.name, user, steps: scenario.steps(random, user, number) }
}
