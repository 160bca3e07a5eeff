/**
 * What queries find, in every way of asking: a trace drawn as text (draw-trace.ts), then queries with what they find.
 *
 *     a b {web} (count()=2) / c {cart}     two sets: spans in order of start, values of `by`, numbers of scalar filters
 *     f[.x=1]                              a span with what `select` shows of it
 *     -                                    nothing
 */
export interface TraceScenarios {
  readonly name: string
  readonly trace: string
  readonly finds: readonly (readonly [query: string, found: string])[]
}

const all = 'a b c d e f g h'

const shop: TraceScenarios = {
  name: 'a shop',
  trace: `
a web 0ms+100ms server ok .http.status=200 .user=u1 resource.zone=eu
  b web 10ms+20ms client .db=pg
    c cart 12ms+10ms server .db=pg .rows=5
      d cart 13ms+5ms internal instrumentation:name=lib instrumentation:version=2 instrumentation.lang=js
  e web 40ms+50ms client error message="card declined"
    f pay 45ms+30ms server error .amount=12.5 .retry=true event:exception@2ms event.type=Timeout event:log@5ms event.type=Info
      g pay 50ms+10ms producer .tags=[x,y] link:abc/7 link.why=batch
    h pay 80ms+4ms internal .tags=[y]
`,
  finds: [
    // Intrinsics.
    ['{ }', all],
    ['{ true }', all],
    ['{ false }', '-'],
    ['{ name = "a" }', 'a'],
    ['{ name != "a" }', 'b c d e f g h'],
    ['{ span:name > "f" }', 'g h'],
    ['{ name =~ "a|b" }', 'a b'],
    ['{ name =~ "" }', '-'],
    ['{ name !~ "[a-f]" }', 'g h'],
    ['{ duration > 20ms }', 'a e f'],
    ['{ duration >= 20ms && duration <= 50ms }', 'b e f'],
    ['{ 20ms < span:duration }', 'a e f'],
    ['{ duration = 0.1s || duration = 4000us }', 'a h'],
    ['{ duration < 5000000 }', 'h'],
    ['{ status = error }', 'e f'],
    ['{ status != error }', 'a b c d g h'],
    ['{ span:status = ok }', 'a'],
    ['{ unset = status }', 'b c d g h'],
    ['{ statusMessage = "card declined" }', 'e'],
    ['{ span:statusMessage =~ ".*declined" }', 'e'],
    ['{ kind = server }', 'a c f'],
    ['{ kind != server && span:kind != client }', 'd g h'],
    ['{ kind = producer || kind = consumer || kind = unspecified }', 'g'],
    ['{ rootName = "a" }', all],
    ['{ trace:rootName != "a" }', '-'],
    ['{ rootServiceName = "web" && name = "h" }', 'h'],
    ['{ trace:rootService = "pay" }', '-'],
    ['{ traceDuration = 100ms && name = "h" }', 'h'],
    ['{ trace:duration > 100ms }', '-'],
    ['{ trace:id = "1" && name = "a" }', 'a'],
    ['{ trace:id = "2" }', '-'],
    ['{ span:id = "0000000000000003" || span:id = "4" }', 'c d'],
    ['{ span:parentID = "1" }', 'b e'],
    ['{ span:parentID != "1" }', 'c d f g h'],
    ['{ event:name = "exception" }', 'f'],
    ['{ event:name =~ "ex.*|warn" }', 'f'],
    ['{ event:name != "log" }', '-'],
    ['{ event:timeSinceStart > 4ms }', 'f'],
    ['{ event:timeSinceStart > 5ms }', '-'],
    ['{ link:traceID = "ABC" }', 'g'],
    ['{ link:spanID = "7" }', 'g'],
    ['{ instrumentation:name = "lib" && instrumentation:version = "2" }', 'd'],
    // Where a span stands.
    ['{ span:childCount = 0 }', 'd g h'],
    ['{ span:childCount > 1 }', 'a e'],
    ['{ nestedSetParent < 0 }', 'a'],
    ['{ nestedSetParent >= 0 }', 'b c d e f g h'],
    ['{ parent = nil }', 'a'],
    ['{ parent != nil && status = error }', 'e f'],
    ['{ nestedSetParent = 1 }', 'b e'],
    ['{ nestedSetLeft = 1 && nestedSetRight = 16 }', 'a'],
    ['{ nestedSetLeft >= 8 && nestedSetRight <= 15 }', 'e f g h'],
    ['{ !(span:childCount = 0) && name != "a" }', 'b c e f'],
    // Attributes.
    ['{ resource.service.name = "pay" }', 'f g h'],
    ['{ .service.name = "pay" }', 'f g h'],
    ['{ span.service.name = "pay" }', '-'],
    ['{ .zone = "eu" }', 'a'],
    ['{ .zone = nil }', 'b c d e f g h'],
    ['{ resource.zone != nil }', 'a'],
    ['{ .zone != "us" }', 'a'],
    ['{ !(.zone = "us") }', all],
    ['{ .http.status = 200 }', 'a'],
    ['{ span."http.status" >= 200.0 }', 'a'],
    ['{ .http.status = "200" }', '-'],
    ['{ .amount > 12 && .amount < 13 }', 'f'],
    ['{ .retry }', 'f'],
    ['{ !.retry }', 'a b c d e g h'],
    ['{ .retry != false }', 'f'],
    ['{ event.type = "Info" }', 'f'],
    ['{ event.type != "Info" }', '-'],
    ['{ event.type != "Other" }', 'f'],
    ['{ link.why = "batch" }', 'g'],
    ['{ instrumentation.lang = "js" }', 'd'],
    ['{ .tags = "y" }', 'g h'],
    ['{ .tags != "x" }', 'h'],
    ['{ .tags =~ "x|z" }', 'g'],
    ['{ .tags !~ "x|z" }', 'h'],
    // Arithmetic, and conditions on conditions.
    ['{ .http.status + 1 > 200 && .http.status - 1 < 200 }', 'a'],
    ['{ .http.status % 100 = 0 }', 'a'],
    ['{ .http.status / 100 = 2 }', 'a'],
    ['{ 2 ^ 3 = .rows + 3 }', 'c'],
    ['{ -.rows = -5 }', 'c'],
    ['{ duration > span.rows * 1ms }', 'c'],
    ['{ .db = .db }', 'b c'],
    ['{ .db = "pg" || .rows = 5 && .user = "u1" }', '-'],
    ['{ .db = "pg" || (.rows = 5 && .user = "u1") }', 'b c'],
    ['{ (.db = "pg") = (.rows = 5) }', 'a c d e f g h'],
    ['{ (.db = "pg") != (.rows = 5) }', 'b'],
    // Sets of spans.
    ['{ name = "b" } && { name = "f" }', 'b f'],
    ['{ name = "b" } && { name = "zz" }', '-'],
    ['{ name = "b" } || { name = "zz" }', 'b'],
    ['{ name = "zz" } || { name = "b" } && { name = "f" }', 'b f'],
    ['{ name = "b" } || { name = "e" } && { name = "zz" }', '-'],
    ['{ name = "b" } || ({ name = "e" } && { name = "zz" })', 'b'],
    ['{ name = "a" } > { }', 'b e'],
    ['{ } > { status = error }', 'e f'],
    ['{ name = "a" } >> { kind = server }', 'c f'],
    ['{ kind = client } >> { kind = server }', 'c f'],
    ['{ name = "b" } >> { kind = server }', 'c'],
    ['{ name = "d" } < { }', 'c'],
    ['{ status = error } < { }', 'a e'],
    ['{ name = "d" } << { }', 'a b c'],
    ['{ name = "h" } << { status = error }', 'e'],
    ['{ name = "b" } ~ { }', 'e'],
    ['{ name = "b" } ~ { name = "b" }', '-'],
    ['{ } ~ { }', 'b e f h'],
    ['{ name = "a" } !> { }', 'a c d f g h'],
    ['{ status = error } !>> { }', 'a b c d e'],
    ['{ name = "zz" } !>> { name = "b" }', 'b'],
    ['{ } !< { }', 'd g h'],
    ['{ status = error } !< { status = error }', 'f'],
    ['{ status = error } !<< { }', 'b c d f g h'],
    ['{ } !~ { }', 'a c d g'],
    ['{ name = "a" } &> { }', 'a b e'],
    ['{ name = "d" } &< { kind = server }', 'c d'],
    ['{ name = "b" } &>> { .rows = 5 }', 'b c'],
    ['{ kind = client } &>> { .rows = 5 }', 'b c'],
    ['{ name = "g" } &<< { status = error }', 'e f g'],
    ['{ name = "b" } &~ { }', 'b e'],
    ['{ name = "h" } &~ { status = error }', 'f h'],
    ['{ name = "a" } &~ { }', '-'],
    ['{ name = "a" } > { kind = client } > { kind = server }', 'c f'],
    ['{ name = "a" } >> { name = "c" } && { name = "f" }', 'c f'],
    ['{ name = "a" } >> ({ name = "c" } && { name = "zz" })', '-'],
    ['{ name = "c" } > ({ name = "a" } >> { duration < 6ms })', 'd'],
    // Stages.
    ['{ kind = server } | { status = error }', 'f'],
    ['{ status = error } | { kind = client } > { kind = server }', 'f'],
    ['{ kind = server } | { } >> { name = "g" }', '-'],
    ['({ name = "b" } | count() > 0) && { name = "d" }', 'b d (count()=1)'],
    ['({ name = "b" } | count() > 1) && { name = "d" }', '-'],
    // Numbers of sets.
    ['{ status = error } | count() > 1', 'e f (count()=2)'],
    ['{ status = error } | count() > 2', '-'],
    ['count() = 8', `${all} (count()=8)`],
    ['{ .zz = 1 } | count() = 0', '-'],
    ['{ kind = client } | avg(duration) = 35ms', 'b e (avg(duration)=35000000)'],
    ['{ } | max(duration) = 100ms | min(duration) < 5ms', `${all} (max(duration)=100000000 min(duration)=4000000)`],
    ['{ } | sum(.rows) = 5', `${all} (sum(.rows)=5)`],
    ['{ } | avg(.zz) > 0', '-'],
    ['{ } | max(.zz) != 1', '-'],
    ['{ kind = client } | sum(duration) / count() > 34ms', 'b e (sum(duration)=70000000 count()=2)'],
    ['{ kind = client } | sum(duration + 1ms) = 72ms', 'b e (sum(duration + 1ms)=72000000)'],
    ['{ kind = client } | 3 > count() + 0.5', 'b e (count()=2)'],
    ['{ kind = client } | -1 * count() < 0', 'b e (count()=2)'],
    ['({ status = error } | count()) > 1', 'e f (({ status = error } | count())=2)'],
    [
      '({ kind = server } | count()) > ({ status = error } | count())',
      'a c e f (({ kind = server } | count())=3 ({ status = error } | count())=2)',
    ],
    [
      '({ .zz = 1 } | count()) < ({ name = "a" } | count())',
      'a (({ .zz = 1 } | count())=0 ({ name = "a" } | count())=1)',
    ],
    ['({ .zz = 1 } | max(duration)) < ({ name = "a" } | count())', '-'],
    ['count() > 7 && max(duration) > 1s', '-'],
    ['count() > 7 || max(duration) > 1s', `${all} (count()=8)`],
    // Groups.
    ['{ } | by(resource.service.name)', 'a b e {web} / c d {cart} / f g h {pay}'],
    ['{ } | by(resource.service.name) | count() > 2', 'a b e {web} (count()=3) / f g h {pay} (count()=3)'],
    ['{ } | by(resource.service.name) | { status = error }', 'e {web} / f {pay}'],
    ['{ } | by(resource.service.name) | { status = error } | coalesce()', 'e f'],
    ['{ } | by(resource.service.name) | { kind = client } >> { }', '-'],
    ['({ } | by(resource.service.name) | count() > 2) >> { name = "g" }', 'g'],
    ['{ } | by(resource.service.name, kind) | count() > 1', 'b e {web,client} (count()=2)'],
    ['{ } | by(resource.service.name) | by(kind) | count() > 1', 'b e {web,client} (count()=2)'],
    ['{ } | by(.db)', 'a d e f g h {nil} / b c {pg}'],
    ['{ status = error } | by(duration > 40ms)', 'e {true} / f {false}'],
    ['{ name = "g" || name = "h" } | by(.tags)', 'g {[x,y]} / h {[y]}'],
    ['{ name = "f" } | by(event:name)', 'f {exception+log}'],
    ['{ .rows != nil } | by(.rows * 2)', 'c {10}'],
    ['by(status) | count() < 2', 'a {ok} (count()=1)'],
    // Columns.
    [
      '{ name = "f" } | select(.amount, resource.service.name, .zz, event:name)',
      'f[.amount=12.5 resource.service.name=pay .zz=nil event:name=exception+log]',
    ],
    ['{ name = "a" } | select(status) | select(kind)', 'a[status=ok kind=server]'],
    // The order of traces is the caller's.
    ['{ status = error } | order by duration desc', 'e f'],
  ],
}

const odd: TraceScenarios = {
  name: 'two roots, and spans whose parent is missing',
  trace: `
r one 0ms+10ms
s two 5ms+5ms
x three 6ms+1ms parent=ff
y three 7ms+1ms parent=ff
  z three 7ms+1ms
`,
  finds: [
    ['{ } ~ { }', 'x y'],
    ['{ } !~ { }', 'r s z'],
    ['{ nestedSetParent < 0 }', 'r s'],
    ['{ parent = nil }', 'r s'],
    ['{ nestedSetParent = 0 }', 'x y'],
    ['{ nestedSetLeft = 3 || nestedSetRight = 10 }', 's y'],
    ['{ } > { }', 'z'],
    ['{ } >> { }', 'z'],
    ['{ } << { }', 'y'],
    ['{ } !>> { }', 'r s x y'],
    ['{ name = "r" } >> { }', '-'],
    ['{ span:childCount > 0 }', 'y'],
    ['{ rootName = "r" && rootServiceName = "one" && name = "z" }', 'z'],
    ['{ traceDuration = 10ms && name = "z" }', 'z'],
  ],
}

const twice: TraceScenarios = {
  name: 'a span that was sent twice, complete the second time',
  trace: `
p one 0ms+10ms id=1
  q one 1ms+2ms id=2
  q one 1ms+5ms id=2
`,
  finds: [
    ['count() = 2', 'p q (count()=2)'],
    ['{ duration = 2ms }', '-'],
    ['{ name = "p" } > { duration = 5ms }', 'q'],
    ['{ } ~ { }', '-'],
    ['{ span:childCount = 1 }', 'p'],
  ],
}

const ring: TraceScenarios = {
  name: 'spans that are each other’s parents',
  trace: `
m one 0ms+5ms id=1 parent=2
n one 1ms+5ms id=2 parent=1
o one 2ms+1ms id=3 parent=3
`,
  finds: [
    ['{ } > { }', 'n'],
    ['{ } << { }', 'm'],
    ['{ nestedSetParent < 0 }', '-'],
    ['{ nestedSetParent = 0 }', 'm o'],
    ['{ rootName = "" }', 'm n o'],
  ],
}

export const traceqlScenarios: readonly TraceScenarios[] = [shop, odd, twice, ring]
