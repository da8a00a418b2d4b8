/**
 * Plotly for this page: only scatter traces, which all its charts are made of, and in parts that are evaluated one after
 * the other. As published the cartesian bundle is one call that holds the main thread for half a second on a slow machine,
 * in the middle of a run.
 *
 * The bundle is esbuild's output: CommonJS modules `var name=z((exports,module)=>{…})`, each after those that it needs, and
 * a last one that registers the other kinds of traces. That list is emptied, modules become free of side effects for
 * the minifier, which drops those that nothing needs any more, and the bundle's result becomes
 *
 *     { parts: modules in order, each a function that evaluates it, whole: () => Plotly }
 */

/** Functions that make a lazily evaluated module of CommonJS (z) and of ES (h0). */
const MODULE = /(?<=[ ,])([\w$]+)=(z|h0)\(/g
const LAST =
  /([\w$]+)=z\(\(([\w$]+),([\w$]+)\)=>\{var ([\w$]+)=([\w$]+)\(\);\4\.register\(\[[^\]]*\]\);\3\.exports=\4\}\);return \1\(\);\}\)\(\);/
const GLOBAL = 'window.Plotly = Plotly;'

/** @returns {import('vite').Plugin} */
export function slicedPlotly() {
  return {
    name: 'sliced-plotly',
    apply: 'build',
    transform: {
      filter: { id: /plotly-cartesian\.min\.js$/ },
      handler: (code) => ({ code: slice(code), map: null }),
    },
  }
}

/** @param {string} code */
function slice(code) {
  const end = LAST.exec(code)
  const core = end?.[5]
  if (!end || !core || !code.includes(GLOBAL)) {
    throw new Error('Plotly’s bundle is not built as scripts/slicedPlotly.mjs expects: adapt it.')
  }
  const modules = [...code.slice(0, end.index).matchAll(MODULE)]
  const texts = new Map(
    modules.map(({ 1: name = '', index }, k) => [
      name,
      code.slice(index, modules[k + 1]?.index ?? end.index),
    ]),
  )
  /** @type {Set<string>} */
  const needed = new Set()
  /** @param {string} name */
  const need = (name) => {
    const text = texts.get(name)
    if (text === undefined || needed.has(name)) return
    needed.add(name)
    for (const { 1: other = '' } of text.matchAll(/([\w$]+)\(\)/g)) need(other)
  }
  need(core)
  const parts = modules.flatMap(({ 1: name = '', 2: kind }) =>
    needed.has(name) && kind === 'z' ? [name] : [],
  )
  const body = code.slice(0, end.index).replace(MODULE, '$1=/* @__PURE__ */$2(')
  const rest = code.slice(end.index + end[0].length).replace(GLOBAL, '')
  return `${body}${end[1]}=0;return{parts:[${parts.join()}],whole:${core}};})();${rest}`
}
