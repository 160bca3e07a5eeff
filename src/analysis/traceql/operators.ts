/**
 * How tightly operators bind; the parser and the printer share this table. From loose to tight:
 *
 *     && ||                                     equal, from the left: a || b && c is (a || b) && c
 *     = != < <= > >= =~ !~ and > >> ~ !> &> …   comparisons and relations of spans, from the left
 *     + -                                       from the left
 *     !                                         !a = b is (!a) = b, !a * b is !(a * b)
 *     * / %                                     from the left
 *     ^                                         from the right
 *     -a                                        -a ^ b is (-a) ^ b
 */

export const bindings = { logic: 1, comparison: 2, sum: 3, not: 4, product: 5, power: 6, minus: 7, primary: 8 } as const

const byOperator: ReadonlyMap<string, number> = new Map<string, number>([
  ...rows(bindings.logic, '&& ||'),
  ...rows(bindings.comparison, '= != < <= > >= =~ !~ >> << ~ !> !< !>> !<< &> &< &>> &<< &~'),
  ...rows(bindings.sum, '+ -'),
  ...rows(bindings.product, '* / %'),
  ...rows(bindings.power, '^'),
])

function rows(binding: number, operators: string): [string, number][] {
  return operators.split(' ').map((operator) => [operator, binding])
}

/** How tightly an operator with two sides binds; `undefined` when it is not one. */
export function bindingOf(operator: string): number | undefined {
  return byOperator.get(operator)
}

/** The loosest binding that an operand on the right may have without parentheses. */
export function rightBinding(binding: number): number {
  return binding === bindings.power ? binding : binding + 1
}
