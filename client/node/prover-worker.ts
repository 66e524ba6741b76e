// Worker thread, started by prover.ts.
import { parentPort } from 'node:worker_threads'
import { type ArtifactSource, loadArtifacts } from '@postrider/circuits'
import { serveProver } from '../prover/serve.ts'

const take = serveProver<ArtifactSource>({
  load: loadArtifacts,
  post: (answer) => parentPort?.postMessage(answer),
})
parentPort?.on('message', take)
