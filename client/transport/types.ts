/** Where a node is: its libp2p peer id and multiaddrs without it. */
export type Target = { peerId: string; addresses: readonly string[] }

export type RequestOptions = {
  /** Largest answer, bytes. */
  maxBytes: number
  /** Time until the whole answer is there, ms; `REQUEST_TIMEOUT_MS` when absent. */
  timeoutMs?: number
  signal?: AbortSignal | undefined
}

/** A stream of length-prefixed frames in both directions. */
export interface FrameStream {
  /** The next frame. @throws PostriderError `CLIENT_STREAM_FAILED`, also at the end of the stream */
  read(signal?: AbortSignal): Promise<Uint8Array>
  /** Resolves when the frame is handed to the connection. @throws PostriderError `CLIENT_STREAM_FAILED` */
  write(frame: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** Takes one frame of a stream that a node opened. What it returns is written back. */
export type FrameHandler = (frame: Uint8Array, peerId: string) => Uint8Array | undefined

/** The light node's end of the overlay: dials nodes, exchanges frames, and listens to nobody else. */
export interface Transport {
  /** Own libp2p peer id, known after `start`. A new one at every start. */
  peerId(): string
  start(): Promise<void>
  stop(): Promise<void>
  /** @throws PostriderError `CLIENT_CONNECT_FAILED`, `CLIENT_TIMEOUT` */
  connect(target: Target, signal?: AbortSignal): Promise<void>
  disconnect(peerId: string): Promise<void>
  isConnected(peerId: string): boolean
  /** Calls `handler` when the last connection to a peer is gone. */
  onDisconnect(handler: (peerId: string) => void): () => void
  /** One request frame, one answer frame. @throws `CLIENT_STREAM_FAILED`, `CLIENT_TIMEOUT`, the signal's reason */
  request(peerId: string, protocol: string, frame: Uint8Array, options: RequestOptions): Promise<Uint8Array>
  /** A long-lived stream. @throws PostriderError `CLIENT_STREAM_FAILED`, `CLIENT_TIMEOUT` */
  open(peerId: string, protocol: string, options: RequestOptions): Promise<FrameStream>
  /** Serves a protocol; frames longer than `maxBytes` break their stream. Before `start`. */
  handle(protocol: string, maxBytes: number, handler: FrameHandler): void
}
