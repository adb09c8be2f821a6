/** Default limits of requests a second, apart for paths under `/browser`, and of instances of the function. */
export const THROTTLE = {
  /** Of an endpoint that anyone may call. */
  open: { rate: 5, browserRate: 5, instances: 5 },
  /** With keys, tokens or IAM. */
  closed: { rate: 50, browserRate: 20, instances: 'none' },
} as const;
