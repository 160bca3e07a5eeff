/**
 * The OTLP receivers in a process of their own, so that a test can watch its memory. Prints one line of JSON with the
 * addresses and ends when its input does. The sink keeps nothing, as a writer under pressure would.
 */
import { startOtlpGrpc } from '../../src/capture/otlp/otlp-grpc.ts'
import { startOtlpHttp } from '../../src/capture/otlp/otlp-http.ts'
import { Receiving } from './receiving.ts'

const receiving = await Receiving.open({ bodyBytesMax: 64 << 20, logBytesMax: 4 * 1024 ** 3, keepsBatches: false })
const httpAddress = await receiving.start(startOtlpHttp)
const grpcAddress = await receiving.start(startOtlpGrpc)
console.log(JSON.stringify({ http: httpAddress, grpc: grpcAddress }))
process.stdin.resume()
process.stdin.on('end', () => {
  void receiving.close().then(() => process.exit(0))
})
