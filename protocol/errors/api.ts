import type { ErrorSection } from './types.ts'

export const apiErrors = {
  API_UNAUTHORIZED: {
    title: 'The request has no valid token',
    retryable: false,
    fix: "Send 'Authorization: Bearer' with a token of api-tokens.json in the node's data folder.",
    http: 401,
  },
  API_FORBIDDEN: {
    title: 'The token does not have the scope that this route needs',
    retryable: false,
    fix: 'Use a token with the named scope; actions need operate.',
    http: 403,
  },
  API_NOT_FOUND: {
    title: 'There is no such resource',
    retryable: false,
    fix: 'See /openapi.json for the routes; an id in a list answer always resolves.',
    http: 404,
  },
  API_REQUEST_INVALID: {
    title: 'The request does not match the schema of its route',
    retryable: false,
    fix: 'Correct the fields named in issues; the schema is in /openapi.json.',
    http: 400,
  },
  API_BODY_TOO_LARGE: {
    title: 'The request body is larger than the API accepts',
    retryable: false,
    fix: 'Send fewer items in one request.',
    http: 413,
  },
  API_MEDIA_TYPE_UNSUPPORTED: {
    title: 'The request body has a media type that the API does not read',
    retryable: false,
    fix: 'Send JSON with Content-Type: application/json.',
    http: 415,
  },
  API_CURSOR_INVALID: {
    title: 'The cursor does not belong to this list',
    retryable: false,
    fix: 'Start again without a cursor and pass nextCursor on unchanged.',
    http: 400,
  },
  API_RATE_LIMITED: {
    title: 'Too many requests from this token or address',
    retryable: true,
    fix: 'Wait for the seconds in Retry-After.',
    http: 429,
  },
  API_STREAMS_EXHAUSTED: {
    title: 'The node serves as many event streams as it allows',
    retryable: true,
    fix: 'Close an event stream that is not needed and try again.',
    http: 503,
  },
  API_IDEMPOTENCY_KEY_MISSING: {
    title: 'This route acts and needs an Idempotency-Key',
    retryable: false,
    fix: 'Send a fresh random Idempotency-Key, and the same one when you repeat the request.',
    http: 400,
  },
  API_IDEMPOTENCY_KEY_REUSED: {
    title: 'The Idempotency-Key was used for a request with other content',
    retryable: false,
    fix: 'Use a new key for a new request.',
    http: 409,
  },
  API_IDEMPOTENCY_IN_FLIGHT: {
    title: 'The request with this Idempotency-Key is still being worked on',
    retryable: true,
    fix: 'Repeat the request with the same key in a few seconds.',
    http: 409,
  },
  API_ACTION_REFUSED: {
    title: 'A check before the action failed, and nothing was sent',
    retryable: false,
    fix: 'Read the failed checks in data: each names its own fix.',
    http: 409,
  },
  API_ACTION_EXPIRED: {
    title: 'The node stopped before the action was sent, and it is too long ago to send it now',
    retryable: false,
    fix: 'Ask for it again with a new Idempotency-Key.',
    http: 409,
  },
  API_TOKEN_FILE_INVALID: {
    title: 'The API token file is damaged or of another format',
    retryable: false,
    fix: 'Delete api-tokens.json and restart the node: it writes fresh tokens.',
  },
  API_LISTEN_FAILED: {
    title: 'The API cannot listen on its address',
    retryable: true,
    fix: 'Free the port or set another api.port in config.json.',
  },
  API_INTERNAL: {
    title: 'The node failed to answer',
    retryable: true,
    fix: "Look up the request id in the node's log.",
    http: 500,
  },
} as const satisfies ErrorSection
