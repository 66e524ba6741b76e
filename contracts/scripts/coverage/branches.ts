/** Puts every branch of a Solidity source on a line of its own. */

/** One way out of an `if` or a `?:`. */
export type Branch = {
  /** Lines in the marked text, from 1, of which one is executed exactly when the branch is taken. */
  readonly lines: readonly number[]
  /** Line of the decision in the original text, from 1. */
  readonly original: number
  readonly way: 'if true' | 'if false' | 'ternary true' | 'ternary false'
}

export type Marked = {
  readonly text: string
  readonly branches: readonly Branch[]
  /** For each line of the marked text its line in the original; undefined for a line that was added. */
  readonly originalOf: readonly (number | undefined)[]
}

/** A statement of its own, so that it is instrumented; it does nothing. */
const MARK = '0;'

/** Identities that a ternary's ways are wrapped in; each pair belongs to one ternary. */
const identity = (name: string): string[] =>
  ['uint256', 'address'].map((type) => `function ${name}(${type} v) pure returns (${type}) {\nreturn v;\n}`)

/** Index just after the bracket that closes the one at `from`. */
function afterBracket(text: string, from: number): number {
  let depth = 0
  for (let i = from; i < text.length; i += 1) {
    if ('([{'.includes(text.charAt(i))) depth += 1
    if (')]}'.includes(text.charAt(i)) && --depth === 0) return i + 1
  }
  throw new RangeError('a bracket is not closed')
}

/** Index just after the statement at `from`: a block, an `if` with all that belongs to it, or up to its semicolon. */
function afterStatement(text: string, from: number): number {
  const start = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0)
  if (text.charAt(start) === '{') return afterBracket(text, start)
  for (let i = start; i < text.length; i += 1) {
    if ('([{'.includes(text.charAt(i))) i = afterBracket(text, i) - 1
    else if (text.charAt(i) === ';') return i + 1
  }
  throw new RangeError('a statement does not end')
}

/** Comments as blanks, so that brackets and words in them are not seen; same length, same lines. */
const withoutComments = (text: string): string =>
  text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))

type Edit = { readonly at: number; readonly text: string; readonly order: number }

/**
 * Marks every `if` and `?:` of a formatted source. Conditions themselves (`a || b`) are not split. Assembly is left
 * alone, and an `if` directly inside an `if` without braces is not supported; the sources have none.
 */
export function markBranches(source: string): Marked {
  const text = withoutComments(source)
  const edits: Edit[] = []
  const insert = (at: number, added: string) => edits.push({ at, text: added, order: edits.length })
  const lineOf = (at: number) => source.slice(0, at).split('\n').length

  for (const match of text.matchAll(/\bif \(/g)) {
    const opens = match.index + match[0].length - 1
    const condition = afterBracket(text, opens)
    const end = afterStatement(text, condition)
    const line = lineOf(match.index)
    insert(condition, ` {\n${MARK} //@if true@${line}\n`)
    const hasElse = /^\s*else\b/.exec(text.slice(end))
    if (hasElse === null) {
      insert(end, `\n} else {\n${MARK} //@if false@${line}\n}`)
    } else {
      const otherwise = end + hasElse[0].length
      insert(end, '\n}')
      insert(otherwise, ` {\n${MARK} //@if false@${line}\n`)
      insert(afterStatement(text, otherwise), '\n}')
    }
  }

  const helpers: string[] = []
  for (const match of text.matchAll(/ \? ([^?:;]+?) : ([^?:;]+?)(?=\)?;)/g)) {
    const line = lineOf(match.index)
    const [, yes = '', no = ''] = match
    const at = match.index + 3
    for (const [way, start, value] of [
      ['true', at, yes],
      ['false', at + yes.length + 3, no],
    ] as const) {
      const name = `_ternary_${way}_${match.index}`
      insert(start, `${name}(`)
      insert(start + value.length, ')')
      helpers.push(
        ...identity(name).map((f) => f.replace('return v;', `return v; //@ternary ${way}@${line}@${name}`)),
      )
    }
  }
  return assemble(source, edits, helpers)
}

function assemble(source: string, edits: readonly Edit[], helpers: readonly string[]): Marked {
  let marked = ''
  let from = 0
  // Each character of the marked text that begins a line gets the original line it is on.
  const originalOf: (number | undefined)[] = [1]
  const original = (chunk: string, first: number) => {
    const count = chunk.split('\n').length - 1
    for (let i = 1; i <= count; i += 1) originalOf.push(first + i)
    marked += chunk
    return first + count
  }
  let line = 1
  for (const { at, text } of [...edits].sort((a, b) => a.at - b.at || a.order - b.order)) {
    line = original(source.slice(from, at), line)
    from = at
    const added = text.split('\n').length - 1
    for (let i = 1; i <= added; i += 1) originalOf.push(i === added && !text.endsWith('}') ? line : undefined)
    marked += text
  }
  original(source.slice(from), line)
  const tail = helpers.join('\n')
  marked += tail
  for (const _ of tail.split('\n')) originalOf.push(undefined)
  return { text: marked, branches: findBranches(marked), originalOf }
}

/** Reads the marks. The two identities of one way of a ternary are one branch. */
function findBranches(marked: string): Branch[] {
  const branches = new Map<string, Branch>()
  for (const [i, content] of marked.split('\n').entries()) {
    const [key, way, original] = /\/\/@((?:if|ternary) (?:true|false))@(\d+).*/.exec(content) ?? []
    if (key === undefined) continue
    // Marks of an `if` are single; those of a ternary carry its name.
    const name = way?.startsWith('if') ? `${i}` : key
    const lines = [...(branches.get(name)?.lines ?? []), i + 1]
    branches.set(name, { lines, original: Number(original), way: way as Branch['way'] })
  }
  return [...branches.values()]
}
