import { describeFrames } from './bad-input/describe-frames.ts'
import { describeMessages } from './bad-input/describe-messages.ts'
import { describeNeighbours } from './bad-input/describe-neighbours.ts'
import { describePayments } from './bad-input/describe-payments.ts'
import { useScene } from './bad-input/scene.ts'

// A whole node as a process, against everything that a peer can send it.
const scene = useScene()
describeFrames(scene)
describeMessages(scene)
describePayments(scene)
describeNeighbours(scene)
