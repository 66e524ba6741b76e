import type { ErrorSection } from './types.ts'

export const apiErrors = {
  API_UNAUTHORIZED: {
    title: 'The request has no valid token',
    retryable: false,
    fix: 'Send the bearer token that the node wrote at its first start.',
    http: 401,
  },
  API_NOT_FOUND: {
    title: 'There is no such resource',
    retryable: false,
    fix: 'See /v1/openapi.json for what exists.',
    http: 404,
  },
} as const satisfies ErrorSection
