// A page of an application that uses the library: built by a bundler, served on loopback under a strict policy.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import type { Page } from 'playwright-core'
import { build } from 'vite'

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
}

/** The page of the tests. */
export const PAGE = join(import.meta.dirname, '..', '..', 'client', 'browser', 'testing', 'page')

/** What the client needs of a page's policy, and nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self' http://127.0.0.1:* ws://127.0.0.1:*",
].join('; ')

export type Site = {
  readonly url: string
  /** Paths that were asked for since the last call. */
  requests(): string[]
  /** Bytes by file name. */
  sizes(): ReadonlyMap<string, number>
  /** Sends the next file of this name in part only; resolves when the page has cut it off. */
  stall(name: RegExp): Promise<void>
  /** A file that is served instead of the built one. */
  override(path: string, body: Uint8Array): void
  close(): Promise<void>
}

/** Builds the page in a folder with Vite's defaults and serves it. */
export async function startSite(root: string): Promise<Site> {
  const outDir = await mkdtemp(join(tmpdir(), 'postrider-page-'))
  const built = await build({
    ...{ root, configFile: false, logLevel: 'error', base: './' },
    build: { outDir, emptyOutDir: true, target: 'es2022' },
    // The storage suite is vitest's elsewhere; in the page it is collected by this.
    resolve: { alias: { vitest: join(root, 'suite-runner.ts') } },
  })
  const { output } = built as { output: { fileName: string; code?: string; source?: string | Uint8Array }[] }
  const sizes = new Map(
    output.map(({ fileName, code, source = '' }) => [fileName, Buffer.byteLength(code ?? source)]),
  )
  const overrides = new Map<string, Uint8Array>()
  let requests: string[] = []
  let stalled: { name: RegExp; cut: () => void } | undefined
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    requests.push(pathname)
    const path = pathname === '/' ? '/index.html' : pathname
    const body = overrides.get(path) ?? (await readFile(join(outDir, path)).catch(() => undefined))
    const headers = {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
    }
    response.writeHead(body ? 200 : 404, headers)
    if (body === undefined || !stalled?.name.test(path)) return response.end(body)
    response.once('close', stalled.cut)
    stalled = undefined
    response.write(body.subarray(0, body.byteLength / 2))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    requests() {
      const seen = requests
      requests = []
      return seen
    },
    sizes: () => sizes,
    stall(name) {
      const { promise, resolve } = Promise.withResolvers<void>()
      stalled = { name, cut: resolve }
      return promise
    },
    override: (path, body) => overrides.set(path, body),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(outDir, { recursive: true })
    },
  }
}

type Call = [scene: string, args: unknown[]]

/** Calls a function that the page offers as `scenes[name]`, with what JSON, bigints and bytes can carry. */
export function play<Scenes, Name extends keyof Scenes & string>(
  page: Page,
  name: Name,
  ...args: Scenes[Name] extends (...args: infer A) => unknown ? A : never
): Promise<Scenes[Name] extends (...args: never[]) => infer R ? Awaited<R> : never> {
  const call: (call: Call) => unknown = ([scene, values]) =>
    (globalThis as unknown as { scenes: Record<string, (...args: unknown[]) => unknown> }).scenes[scene]?.(
      ...values,
    )
  return page.evaluate<unknown, Call>(call, [name, args]) as never
}
