/** The page of `npm run bench -- --browser`: offers the benchmark to the program that opened it (bench/inBrowser.ts). */
import { type BenchOptions, type BenchReport, runBench } from '../run'

declare global {
  var bench: (options: BenchOptions) => Promise<BenchReport>
}

globalThis.bench = (options) => runBench(navigator.gpu, options, (line) => console.log(line))
