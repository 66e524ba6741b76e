// Web Worker, started by prover.ts.
import { bundledManifest, bundledUrl } from '@postrider/circuits/bundled'
import { cachedReader, fetchReader, readArtifacts, readListed } from '@postrider/circuits/engine'
import type { WorkerRequest } from '../prover/messages.ts'
import { serveProver } from '../prover/serve.ts'
import { createKeyCache } from './key-cache.ts'
import { type KeySource, urlIn } from './keys.ts'

const take = serveProver<KeySource>({
  load(source, { onBytes, onCheck, signal }) {
    const urlOf = source ? urlIn(source) : bundledUrl
    const read = cachedReader(fetchReader(urlOf, { onBytes, signal }), createKeyCache(), onCheck)
    return source ? readArtifacts(read, source.manifestSha256) : readListed(read, bundledManifest)
  },
  post: (answer) => postMessage(answer),
})
addEventListener('message', ({ data }: MessageEvent<WorkerRequest<KeySource>>) => take(data))
